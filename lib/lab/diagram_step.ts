/**
 * What one cell of a diagram says: a call, a stop, or a remark.
 *
 *     zswap_load()                        a call: run until it is made
 *       spin_lock(ptl)                    an operation: run until it is done
 *     [preempted before spin_lock(ptl)]   stop when that comes next
 *     [waits at spin_lock(ptl)]  [ends]   until it cannot go on; to its end
 *     [breaks: ...]                       until the machine stops
 *     <interrupt>  ...  // a comment      remarks: nothing is run
 *
 * Ours.
 */
import * as ohm from "ohm-js";

/** What a cell asks for. */
export type DiagramStep =
  | { readonly does: "call"; readonly name: string; readonly args: string }
  | {
    readonly does: "stop";
    /** Before an operation, where it has to wait, or at its end. */
    readonly at: "before" | "wait" | "end";
    readonly before: string;
    readonly nth: number;
  }
  | { readonly does: "remark" };

const source = String.raw`
  Step {
    Cell       = Stop | Call | Remark
    Stop       = "[" "preempted" ("before" operation nth?)? "]"  -- preempted
               | "[" "waits" ("at" operation)? "]"  -- waits
               | "[" "ends" "]"  -- ends
               | "[" "breaks" (":" any*)?  -- breaks
    nth        = space* "(" digit+ letter+ ")"
    operation  = (~(nth? space* "]" space* end) any)+
    Call       = assigned? name arguments? tail?
    assigned   = word space* "=" space*
    name       = (letter | "_") (alnum | "_")*
    word       = (alnum | "_" | "-" | ">" | "." | "*" | "&" | "[" | "]")+
    arguments  = "(" balanced* ")"
    balanced   = "(" balanced* ")"  -- nested
               | ~("(" | ")") any   -- other
    tail       = ";" space* note?   -- ended
               | space* result space* note?  -- result
               | space+ note        -- noted
               | note               -- glued
    result     = ("->" | "=>" | "==" | "=" | "returns") (~note any)*
    note       = "/*" any* | "//" any* | "#" any* | "<-" any* | "(" any*
    Remark     = any+
  }
`;

type Stop = Extract<DiagramStep, { does: "stop" }>;

function stop(at: Stop["at"], before = "", nth = 1): Stop {
  return { does: "stop", at, before, nth };
}

/** 2 of " (2nd)". */
function nthText(node: ohm.Node | undefined): number {
  return Number(/\d+/.exec(node?.sourceString ?? "")?.[0] ?? 1);
}

export type StepParser = (text: string) => DiagramStep;

/** A parser of cells; what is neither call nor stop is a remark. */
export function makeStepParser(): StepParser {
  const grammar = ohm.grammar(source);
  const semantics = grammar.createSemantics();
  semantics.addOperation<DiagramStep>("step", {
    Cell: (inner) => inner["step"](),
    Stop_preempted: (_open, _word, _before, operation, nth, _close) =>
      stop(
        "before",
        operation.children[0]?.sourceString.trim(),
        nthText(nth.children[0]),
      ),
    Stop_waits: (_open, _word, _at, operation, _close) =>
      stop("wait", operation.children[0]?.sourceString.trim()),
    Stop_ends: (_open, _word, _close) => stop("end"),
    Stop_breaks: (_open, _word, _colon, _why) => stop("end"),
    Call: (_assigned, name, args, _tail) => ({
      does: "call",
      name: name.sourceString,
      args: args.sourceString.replace(/^\(|\)$/g, ""),
    }),
    Remark: (_any) => ({ does: "remark" }),
  });
  return (text) => {
    const match = grammar.match(text.trim());
    return match.failed() ? { does: "remark" } : semantics(match)["step"]();
  };
}
