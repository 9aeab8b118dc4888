/** The public surface: what a cell gets from `import { … } from "swaplab"`. */
export { KERNEL_VERSION } from "./kernel_version.ts";

export { KernelBug, SimError } from "./base/bug.ts";
export { errnoName } from "./base/errno.ts";
export { makeRng, nextBelow, nextFraction, nextUint32 } from "./sim/rng.ts";
export { formatEvents, pageHistory, type TraceEvent } from "./sim/trace.ts";
export { actor, type Instance, type Program } from "./sim/execute.ts";
export { makeOp, type Op, pause, type Task } from "./sim/task.ts";
export {
  type Exploration,
  explore,
  runSchedule,
  shortestFailure,
} from "./sim/explore.ts";
export { compressorNames, crypto_alloc_acomp } from "./crypto/acomp.ts";

export { type Machine, makeMachine } from "./lab/machine.ts";
export type { MachineOptions } from "./lab/options.ts";
export { type Process, ProcessKilled } from "./lab/process.ts";
export { entryAt, type PageTableEntry } from "./lab/entry.ts";
export { checkMachine } from "./lab/invariants.ts";
export { makePageSource, type PageKind, pageKinds } from "./lab/pages.ts";
export {
  type Access,
  random,
  sequential,
  workingSetShift,
  zipf,
} from "./lab/pattern.ts";
export { compressedBytes, type Report, report } from "./lab/report.ts";
export { historyOf, type Journey, journeyOf } from "./lab/journey.ts";
export { runDiagram } from "./lab/diagram.ts";
export { printDiagram } from "./lab/diagram_print.ts";
export { litmusProgram, litmusTests } from "./lab/litmus/mod.ts";
export { type RunStory, tellRun } from "./lab/run_story.ts";
export { runForks, runWorkload, type Sample } from "./lab/workload.ts";

export { explorationTable } from "./show/exploration.ts";
export { plot } from "./show/plot.ts";
export { reportTable } from "./show/report.ts";
export { runTree } from "./show/run_tree.ts";
export { swimlanes } from "./show/swimlanes.ts";
export { table } from "./show/table.ts";
export { timeline } from "./show/timeline.ts";
export { show } from "./notebook/host.ts";
