/**
 * The `console` of cells. Cells get it as a variable of their own; the host's
 * console is not touched, so what the host itself prints stays there.
 */
import { format, inspect } from "../show/inspect.ts";
import { plainError } from "./own_names.ts";

export type StreamName = "stdout" | "stderr";

/** What a cell can call on `console`. */
export type CellConsole = Readonly<
  Record<string, (...values: unknown[]) => void>
>;

/** makeConsole() - a console that writes whole lines to `write`. */
export function makeConsole(
  write: (name: StreamName, text: string) => void,
): CellConsole {
  let indent = "";
  const counts = new Map<string, number>();
  const line = (name: StreamName, text: string) => {
    write(name, `${indent}${text.replaceAll("\n", `\n${indent}`)}\n`);
  };
  const text = (values: unknown[]) => format(...values.map(plainError));
  const out = (...values: unknown[]) => line("stdout", text(values));
  const err = (...values: unknown[]) => line("stderr", text(values));
  const group = (...values: unknown[]) => {
    if (values.length > 0) out(...values);
    indent += "  ";
  };
  const count = (label: unknown = "default") => {
    const name = String(label);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    out(`${name}: ${counts.get(name)}`);
  };
  return {
    log: out,
    info: out,
    debug: out,
    table: out,
    dir: (value) => line("stdout", inspect(value)),
    warn: err,
    error: err,
    trace: (...values) => err("Trace:", ...values),
    assert: (condition, ...values) => {
      if (condition) return;
      if (values.length === 0) err("Assertion failed");
      else err("Assertion failed:", ...values);
    },
    count,
    countReset: (label = "default") => void counts.delete(String(label)),
    group,
    groupCollapsed: group,
    groupEnd: () => void (indent = indent.slice(2)),
  };
}
