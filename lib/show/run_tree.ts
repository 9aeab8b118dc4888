/**
 * All runs of a small program as a tree: a step is an edge, a run a way from
 * the root to a leaf. What the reduction left out is drawn dashed.
 */
import { dfs } from "../sim/dfs.ts";
import { dpor } from "../sim/dpor.ts";
import {
  execute,
  type Program,
  type Run,
  type Scheduler,
} from "../sim/execute.ts";
import { actorLetter, scheduleOf } from "../sim/replay.ts";
import { type Figure, makeFigure, wantText } from "./figure.ts";
import { drawTree, type TreeNode } from "./run_tree_svg.ts";
import { frameSvg } from "./svg.ts";
import { gridOf, gridText } from "./table.ts";

export interface RunTreeSpec {
  title: string;
  /** One sentence that says what is there to see. */
  finding: string;
}

/** More leaves than that are no picture. */
const leavesShown = 40;

/**
 * runTree() - every interleaving of a program, and which of them the
 * reduction makes.
 *
 * @throws RangeError if the program has more than 40 interleavings
 */
export function runTree(program: Program, spec: RunTreeSpec): Figure {
  const title = wantText(spec.title, "runTree() title");
  const finding = wantText(spec.finding, "runTree() finding");
  const all = runsOf(program, dfs(null));
  const made = new Set(runsOf(program, dpor()).map(choicesOf));
  const root = treeOf(all, made);
  const rows = all.map((run) => ({
    schedule: scheduleOf(run.steps),
    outcome: outcomeOf(run),
    made: made.has(choicesOf(run)) ? "yes" : "left out",
  }));
  const { drawing, width, height } = drawTree(root);
  return makeFigure({
    title,
    finding,
    svg: frameSvg({ title, finding, width, height }, drawing),
    text: `${finding}\n\n${gridText(gridOf(rows))}`,
    json: { title, finding, kind: "run tree", runs: rows },
  });
}

function runsOf(program: Program, scheduler: Scheduler): Run[] {
  const runs: Run[] = [];
  while (scheduler.begin()) {
    const run = execute(program, scheduler);
    if (run.end !== "cut") runs.push(run);
    if (runs.length <= leavesShown) continue;
    throw new RangeError(
      `runTree(): wanted at most ${leavesShown} interleavings, ` +
        `${program.name} has more`,
    );
  }
  return runs;
}

/** "AABB": one letter a step. */
function choicesOf({ steps }: Run): string {
  return steps.map(({ actor }) => actorLetter(actor)).join("");
}

function outcomeOf({ violation, outcome }: Run): string {
  return violation === null ? outcome : violation.kind;
}

function treeOf(all: readonly Run[], made: ReadonlySet<string>): TreeNode {
  const root = emptyNode("", 0);
  for (const run of all) {
    const isMade = made.has(choicesOf(run));
    let node = root;
    node.isMade ||= isMade;
    for (const { actor, op } of run.steps) {
      const label = `${actorLetter(actor)} ${op.kind}`;
      let child = node.children.find((one) => one.actor === actor);
      if (child === undefined) {
        child = emptyNode(label, actor);
        node.children.push(child);
      }
      child.isMade ||= isMade;
      node = child;
    }
    node.outcome = outcomeOf(run);
  }
  return root;
}

function emptyNode(label: string, actor: number): TreeNode {
  return { label, actor, isMade: false, outcome: "", children: [] };
}
