/**
 * Which cells run, in which order: a cell builds on all above it, so those that
 * the worker has not run yet run first. Requests wait their turn; Stop ends the
 * running one and forgets the waiting ones.
 */

import type { Output } from "../../lib/notebook/nbformat.ts";
import type { CellView } from "./cell_view.ts";
import type { Ran, Runner } from "./runner.ts";
import { strings } from "./strings.ts";

/** After this long without an answer the reader is told what Stop does. */
const HINT_AFTER_MS = 10_000;

export interface Chain {
  /** Run one cell, and before it the cells above that have not run. */
  run(view: CellView): void;
  /** Run every cell from the top in a fresh session. */
  runAll(tell: (line: string) => void): void;
  stop(): void;
}

/** makeChain() - `views` are the cells of the page in order. */
export function makeChain(views: readonly CellView[], runner: Runner): Chain {
  let turn: Promise<void> = Promise.resolve();
  let era = 0; // Counts the stops: a request from before one is void.

  function queue(work: (isVoid: () => boolean) => Promise<void>): void {
    const asked = era;
    const isVoid = () => era !== asked;
    turn = turn.then(() => isVoid() ? undefined : work(isVoid));
  }

  async function runOne(view: CellView): Promise<void> {
    const above = views.slice(0, views.indexOf(view))
      .filter((earlier) => !runner.ran.has(earlier.id));
    for (const earlier of above) {
      view.tell("waiting", strings.runningFirst(earlier.id));
      const how = await runCell(earlier, runner, strings.done);
      if (how === "done") continue;
      const line = how === "stopped"
        ? strings.stopped
        : strings.failedAbove(earlier.id);
      return view.tell("idle", line);
    }
    const names = above.map((earlier) => earlier.id);
    const line = names.length === 0 ? strings.done : strings.doneAfter(names);
    await runCell(view, runner, line);
  }

  async function runEach(tell: (line: string) => void): Promise<void> {
    for (const [index, view] of views.entries()) {
      tell(strings.pageRunning(index + 1, views.length));
      const how = await runCell(view, runner, strings.done);
      if (how === "stopped") return tell(strings.pageStopped);
      if (how !== "done") return tell(strings.pageFailed(view.id));
    }
    tell(strings.pageDone(views.length));
  }

  function stop(): void {
    era++;
    for (const view of views) {
      const { state } = view.element.dataset;
      if (state === "waiting") view.tell("idle", strings.stopped);
    }
    runner.stop();
  }

  return {
    run: (view) => {
      view.tell("waiting", strings.waiting);
      queue(() => runOne(view));
    },
    runAll: (tell) => {
      stop();
      queue(() => runEach(tell));
    },
    stop,
  };
}

/** Run one cell and show it. `failed` = it ended with an unwanted error. */
async function runCell(
  view: CellView,
  runner: Runner,
  doneLine: string,
): Promise<"done" | "failed" | "stopped"> {
  view.tell("running", strings.running);
  let shown = false;
  const showSome = (outputs: Output[]) => {
    shown = true;
    view.show(outputs);
  };
  const hint = setTimeout(
    () => view.tell("running", strings.stillRunning),
    HINT_AFTER_MS,
  );
  const ran = await runner.run(view.id, view.source(), showSome);
  clearTimeout(hint);
  if (ran.how === "done") {
    const how = finish(view, ran, doneLine);
    if (how === "done") runner.ran.add(view.id);
    else runner.ran.delete(view.id);
    return how;
  }
  if (!shown) view.show([]);
  if (ran.how === "broken") {
    view.tell("failed", strings.broken(ran.reason));
    return "failed";
  }
  view.tell("idle", strings.stopped);
  return "stopped";
}

function finish(
  view: CellView,
  ran: Extract<Ran, { how: "done" }>,
  doneLine: string,
): "done" | "failed" {
  view.show(ran.outputs);
  const failed = ran.outputs.some((one) => one.output_type === "error");
  const line = failed ? strings.failed : doneLine;
  view.tell(failed ? "failed" : "done", ran.cut ? strings.cut : line);
  // For tests and tools: the outputs as a notebook stores them.
  view.element.dispatchEvent(
    new CustomEvent("swaplab:ran", { bubbles: true, detail: ran.outputs }),
  );
  const wanted = "raisesException" in view.element.dataset;
  return failed && !wanted ? "failed" : "done";
}
