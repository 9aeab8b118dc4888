/**
 * A machine to play with: memory, a swap device, zswap, processes. Ours.
 *
 *   const machine = makeMachine({ frames: 256 });
 *   const process = machine.spawn({ pages: 400 });
 *   process.write(7, bytes);
 *   process.read(7);
 *
 * Processes run one at a time, each call to its end; kswapd and the zswap
 * shrinker work when a process has finished a fault. Every page that comes
 * back after a fault, and every page that is read, is compared with what was
 * written to it.
 */
import { makeDisk } from "../block/disk.ts";
import { alloc_workqueue, INIT_WORK, takeWork } from "../locking/workqueue.ts";
import { idleUntilNextEvent, makeClock } from "../sim/clock.ts";
import { makeRng, type Rng } from "../sim/rng.ts";
import { run, type Task } from "../sim/task.ts";
import { makeTrace } from "../sim/trace.ts";
import { lruvec_init } from "../mm/lru.ts";
import type { Kernel, Pfn, TaskStruct } from "../mm/mm_types.ts";
import {
  PF_KSWAPD,
  PF_MEMALLOC,
  setup_per_zone_wmarks,
} from "../mm/page_alloc.ts";
import { sys_swapon } from "../mm/swap_alloc.ts";
import { makeVmEvents } from "../mm/vmstat.ts";
import { balance_pgdat } from "../mm/vmscan.ts";
import { zswap_setup } from "../mm/zswap.ts";
import { zswap_pool_create } from "../mm/zswap_pool.ts";
import { checkMachine } from "./invariants.ts";
import { type MachineOptions, type Settings, settle } from "./options.ts";
import { loadSamples, type PageSamples } from "./pages.ts";
import { makeProcess, type Process, type ProcessOptions } from "./process.ts";

export interface Machine {
  readonly k: Kernel;
  readonly settings: Settings;
  readonly samples: PageSamples;
  readonly rng: Rng;
  /** Living processes, oldest first. */
  readonly processes: Process[];
  /** Start a process with one area of anonymous memory. */
  spawn(options: ProcessOptions): Process;
  /** Let the task run to its end in the name of `who`, then the background. */
  run<T>(task: Task<T>, who: TaskStruct): T;
  /** Let kswapd, the shrinker and the disk finish what they have begun. */
  settle(): void;
}

/** The context in which nobody in particular runs. */
export const swapper: TaskStruct = { comm: "swapper", mm: null, flags: 0 };

/**
 * makeMachine() - a machine that has just booted, its swap device on.
 *
 * Throws RangeError or TypeError for options that make no sense.
 */
export function makeMachine(options: MachineOptions = {}): Machine {
  const settings = settle(options);
  const rng = makeRng(settings.seed);
  const k = makeKernel(settings);
  k.zswap.pool = zswap_pool_create(
    k,
    settings.zswap.zpool,
    settings.zswap.compressor,
  );
  if (settings.swap !== false) addSwap(k, settings.swap, rng);

  const machine: Machine = {
    k,
    settings,
    samples: loadSamples(),
    rng,
    processes: [],
    spawn: (processOptions) => makeProcess(machine, processOptions),
    run: (task, who) => runOn(machine, task, who),
    settle: () => settleDown(machine),
  };
  return machine;
}

function makeKernel(settings: Settings): Kernel {
  const { frames } = settings;
  // The lowest frames first: a stack, so the highest go in first. Frame 0 is
  // the page of zeros that fresh pages share.
  const free_list = Array.from(
    { length: frames - 1 },
    (_, i) => (frames - 1 - i) as Pfn,
  );
  const k: Kernel = {
    memory: new Uint8Array(frames * 4096),
    totalram_pages: frames,
    zero_pfn: 0 as Pfn,
    mem_map: new Array(frames).fill(null),
    zone: { free_list, watermark: setup_per_zone_wmarks(frames) },
    lruvec: lruvec_init(),
    vm_event: makeVmEvents(),
    swap_info: [],
    nr_swap_pages: 0,
    total_swap_pages: 0,
    zswap: zswap_setup(() => k, settings.zswap),
    mms: new Set(),
    next_pid: 1,
    next_anon_vma: 1,
    clock: makeClock(),
    costs: { fault: 1000, copyPage: 220, scanPage: 300 },
    trace: makeTrace(settings.traceEvents),
    workqueue: alloc_workqueue(),
    kswapd: INIT_WORK("kswapd0", () => balance_pgdat(k)),
    current: swapper,
    warnings: [],
  };
  return k;
}

function addSwap(
  k: Kernel,
  swap: Exclude<Settings["swap"], false>,
  rng: Rng,
): void {
  const disk = makeDisk(
    {
      pages: swap.pages,
      readNanoseconds: swap.readMicroseconds * 1000,
      writeNanoseconds: swap.writeMicroseconds * 1000,
      queueDepth: swap.queueDepth,
      readErrorRate: swap.readErrorRate,
      writeErrorRate: swap.writeErrorRate,
    },
    k.clock,
    rng,
  );
  sys_swapon(k, disk);
}

function runOn<T>(machine: Machine, task: Task<T>, who: TaskStruct): T {
  const { k } = machine;
  const idle = () => idleUntilNextEvent(k.clock);
  k.current = who;
  const value = run(task, idle);
  runBackground(machine);
  k.current = swapper;
  if (machine.settings.debug) checkMachine(machine);
  return value;
}

/** kswapd and the workers, as long as they have something to do. */
function runBackground({ k }: Machine): void {
  const idle = () => idleUntilNextEvent(k.clock);
  let work = takeWork(k.workqueue);
  for (; work !== null; work = takeWork(k.workqueue)) {
    const reclaims = work === k.kswapd ? PF_MEMALLOC | PF_KSWAPD : 0;
    k.current = { comm: work.name, mm: null, flags: reclaims };
    run(work.func(), idle);
  }
}

function settleDown(machine: Machine): void {
  const { k } = machine;
  do {
    runBackground(machine);
  } while (idleUntilNextEvent(k.clock) || k.workqueue.pending.length > 0);
  k.current = swapper;
  if (machine.settings.debug) checkMachine(machine);
}
