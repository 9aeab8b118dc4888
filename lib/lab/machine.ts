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
import type { BlockDevice } from "../block/bio.ts";
import { makeBrd } from "../block/brd.ts";
import { makeHdd } from "../block/hdd.ts";
import { makeSsd } from "../block/ssd.ts";
import { rcu_init } from "../locking/rcu.ts";
import { init_waitqueue_head } from "../locking/wait.ts";
import {
  alloc_workqueue,
  INIT_WORK,
  takeWork,
  type Work,
} from "../locking/workqueue.ts";
import { idleUntilNextEvent, makeClock } from "../sim/clock.ts";
import { makeRng, type Rng } from "../sim/rng.ts";
import { run, type Task } from "../sim/task.ts";
import { makeTrace } from "../sim/trace.ts";
import { makeInject } from "../mm/fault_inject.ts";
import { makeRootMemcg, mem_cgroup_init } from "../mm/memcontrol.ts";
import { makeMemMap, type MemMap, memmap_init } from "../mm/mem_map.ts";
import type { Kernel, Pfn, PgData, TaskStruct } from "../mm/mm_types.ts";
import {
  cpu_to_node,
  PF_KSWAPD,
  PF_MEMALLOC,
  setup_per_zone_wmarks,
} from "../mm/page_alloc.ts";
import { makeSwapReadahead } from "../mm/swap_readahead.ts";
import { SWAP_FLAG_PREFER } from "../mm/swap.ts";
import { makeSwapState } from "../mm/swap_info.ts";
import { sys_swapon } from "../mm/swapon.ts";
import { makeVmEvents } from "../mm/vmstat.ts";
import { kswapd } from "../mm/vmscan_kswapd.ts";
import { zswap_init } from "../mm/zswap.ts";
import { makeZswapState } from "../mm/zswap_state.ts";
import { addCgroup, type Cgroup, type CgroupOptions } from "./cgroup.ts";
import { checkMachine } from "./invariants.ts";
import { type MachineOptions, type Settings, settle } from "./options.ts";
import { loadSamples, type PageSamples } from "./samples.ts";
import { makeZramDevice } from "./zram_device.ts";
import { makeProcess, type Process, type ProcessOptions } from "./process.ts";

export interface Machine {
  readonly k: Kernel;
  readonly settings: Settings;
  readonly samples: PageSamples;
  readonly rng: Rng;
  /** Living processes, oldest first. */
  readonly processes: Process[];
  /** Make a control group. */
  cgroup(name: string, options?: CgroupOptions): Cgroup;
  /** Start a process with one area of anonymous memory. */
  spawn(options: ProcessOptions): Process;
  /** Let the task run to its end in the name of `who`, then the background. */
  run<T>(task: Task<T>, who: TaskStruct): T;
  /** The same without the background, which should have its turn soon. */
  runAlone<T>(task: Task<T>, who: TaskStruct): T;
  /** kswapd and the workers have their turn. */
  runBackground(): void;
  /**
   * Let kswapd, the shrinker and the disk finish what they have begun; or, if
   * they find no end, let them try for a while.
   */
  settle(): void;
}

/** When memory is full, kswapd and zswap's worker can keep each other busy. */
const mostTurns = 1000;

/** The context in which nobody in particular runs. */
export const swapper: TaskStruct = {
  comm: "swapper",
  mm: null,
  cpu: 0,
  flags: 0,
};

/**
 * makeMachine() - a machine that has just booted, its swap device on.
 *
 * Throws RangeError or TypeError for options that make no sense.
 */
export function makeMachine(options: MachineOptions = {}): Machine {
  const settings = settle(options);
  const rng = makeRng(settings.seed);
  const k = makeKernel(settings);
  zswap_init(k);
  for (const swap of settings.swap) addSwap(k, swap, rng);

  const machine: Machine = {
    k,
    settings,
    samples: loadSamples(),
    rng,
    processes: [],
    cgroup: (name, options) => addCgroup(machine, name, options),
    spawn: (processOptions) => makeProcess(machine, processOptions),
    run: (task, who) => {
      const value = runAlone(machine, task, who);
      endTurn(machine);
      return value;
    },
    runAlone: (task, who) => runAlone(machine, task, who),
    runBackground: () => endTurn(machine),
    settle: () => settleDown(machine),
  };
  return machine;
}

function makeKernel(settings: Settings): Kernel {
  const { frames } = settings;
  const mem_map = makeMemMap(frames);
  const nodes = Array.from(
    { length: settings.nodes },
    (_, nid) => makeNode(nid, settings, mem_map, () => k),
  );
  const root = makeRootMemcg(nodes);
  const bare: Omit<Kernel, "zswap"> = {
    memory: new Uint8Array(frames * 4096),
    totalram_pages: frames,
    zero_pfn: 0 as Pfn,
    mem_map,
    nodes,
    nr_cpus: settings.cpus,
    root_mem_cgroup: root,
    memcg: mem_cgroup_init(root, settings.cpus),
    rcu: rcu_init(),
    proposals: settings.proposals,
    quirks: settings.quirks,
    vm_event: makeVmEvents(),
    swap_info: [],
    swap: makeSwapState(settings.nodes, settings.cpus),
    nr_swap_pages: 0,
    total_swap_pages: 0,
    nr_rotate_swap: 0,
    readahead: makeSwapReadahead(settings.pageCluster),
    swapcache_wq: init_waitqueue_head("swapcache_wq"),
    mms: new Set(),
    vm_swappiness: 60,
    shrinker_list: [],
    next_shrinker_id: 0,
    next_pid: 1,
    next_anon_vma: 1,
    shmem_swaplist: [],
    next_shmem: 1,
    clock: makeClock(),
    costs: { fault: 1000, copyPage: 220, scanPage: 300 },
    trace: makeTrace(settings.traceEvents),
    workqueue: alloc_workqueue(),
    current: swapper,
    inject: makeInject(),
    warnings: [],
  };
  const k: Kernel = Object.assign(bare, {
    zswap: makeZswapState(bare, settings.zswap),
  });
  return k;
}

/** An equal part of the frames; the last node has what is left over. */
function makeNode(
  node_id: number,
  { frames, nodes }: Settings,
  mem_map: MemMap,
  k: () => Kernel,
): PgData {
  const part = Math.floor(frames / nodes);
  const node_start_pfn = node_id * part;
  const node_end_pfn = node_id === nodes - 1 ? frames : node_start_pfn + part;
  // Frame 0 is the page of zeros that fresh pages share.
  const first = Math.max(1, node_start_pfn);
  const free_list = memmap_init(mem_map, first, node_end_pfn);
  const watermark = setup_per_zone_wmarks(
    frames,
    node_end_pfn - node_start_pfn,
  );
  const node: PgData = {
    node_id,
    node_start_pfn,
    node_end_pfn,
    zone: { free_list, watermark },
    kswapd: INIT_WORK(`kswapd${node_id}`, () => kswapd(k(), node)),
    kswapd_failures: 0,
    flags: 0,
  };
  return node;
}

type SwapDevice = Settings["swap"][number];

function addSwap(k: Kernel, swap: SwapDevice, rng: Rng): void {
  const { priority } = swap;
  const swap_flags = priority === null ? 0 : SWAP_FLAG_PREFER | priority;
  sys_swapon(k, makeDevice(k, swap, rng), { swap_flags });
}

function makeDevice(k: Kernel, swap: SwapDevice, rng: Rng): BlockDevice {
  const { pages, queueDepth, readErrorRate, writeErrorRate } = swap;
  const faults = { readErrorRate, writeErrorRate };
  switch (swap.kind) {
    case "brd":
      return makeBrd({ pages }, k.clock);
    case "zram":
      return makeZramDevice(k, { pages, compressors: swap.compressors });
    case "hdd":
      return makeHdd({ pages, ...faults }, k.clock, rng);
    case "ssd": {
      const readNanoseconds = swap.readMicroseconds * 1000;
      const writeNanoseconds = swap.writeMicroseconds * 1000;
      const speed = { readNanoseconds, writeNanoseconds, queueDepth };
      return makeSsd({ pages, ...speed, ...faults }, k.clock, rng);
    }
  }
}

function runAlone<T>(machine: Machine, task: Task<T>, who: TaskStruct): T {
  const { k } = machine;
  const idle = () => idleUntilNextEvent(k.clock);
  k.current = who;
  const value = run(task, idle, machine.settings.stepLimit);
  k.current = swapper;
  return value;
}

function endTurn(machine: Machine): void {
  runBackground(machine);
  machine.k.current = swapper;
  if (machine.settings.debug) checkMachine(machine);
}

/**
 * kswapd and the workers have their turn; each may queue the others again, and
 * what is left after that has to wait until somebody else has run.
 */
function runBackground({ k, settings }: Machine): void {
  const idle = () => idleUntilNextEvent(k.clock);
  for (let turn = 0; turn < settings.worksPerTurn; turn++) {
    const work = takeWork(k.workqueue);
    if (work === null) return;
    k.current = workerOf(k, work);
    run(work.func(), idle, settings.stepLimit);
  }
}

/** In whose name work is done: kswapd runs on its own node. */
function workerOf(k: Kernel, work: Work): TaskStruct {
  const { name: comm } = work;
  const nid = k.nodes.findIndex(({ kswapd }) => kswapd === work);
  if (nid < 0) return { comm, mm: null, cpu: 0, flags: 0 };
  const cpus = Array.from({ length: k.nr_cpus }, (_, cpu) => cpu);
  const cpu = cpus.find((cpu) => cpu_to_node(k, cpu) === nid) ?? 0;
  return { comm, mm: null, cpu, flags: PF_MEMALLOC | PF_KSWAPD };
}

function settleDown(machine: Machine): void {
  const { k } = machine;
  const { pending } = k.workqueue;
  for (let turn = 0; turn < mostTurns || pending.length === 0; turn++) {
    runBackground(machine);
    if (!idleUntilNextEvent(k.clock) && pending.length === 0) break;
  }
  k.current = swapper;
  if (machine.settings.debug) checkMachine(machine);
}
