import { foliosInUse } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import type { Disk } from "swaplab/block/disk.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import { checkMachine } from "swaplab/lab/invariants.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import { random, sequential, zipf } from "swaplab/lab/pattern.ts";
import { compressedBytes, report } from "swaplab/lab/report.ts";
import { v6_12 } from "swaplab/proposals.ts";
import { runForks, runWorkload } from "swaplab/lab/workload.ts";

/** Options that make no sense, and what the message must say. */
const nonsense: [unknown, RegExp][] = [
  [{ frames: 0 }, /frames: wanted a whole number from 16 .* got 0/],
  [{ frames: 3.5 }, /frames: .* got 3.5/],
  [{ frames: "64" }, /frames: .* got "64"/],
  [{ frames: NaN }, /frames: .* got NaN/],
  [{ seed: -1 }, /seed: wanted a whole number ≥ 0, got -1/],
  [{ zswap: { maxPoolPercent: -5 } }, /maxPoolPercent: .*1 to 100, got -5/],
  [{ zswap: { maxPoolPercent: 101 } }, /maxPoolPercent: .* got 101/],
  [{ zswap: { acceptThresholdPercent: 0 } }, /acceptThreshold.* got 0/],
  [{ zswap: { compressor: "zip" } }, /compressor: wanted one of .*lz4.*"zip"/],
  [{ zswap: { zpool: "pool" } }, /zpool: wanted one of zbud.*"pool"/],
  [{ zswap: { enabled: "yes" } }, /enabled: wanted true or false, got "yes"/],
  [{ zswap: 5 }, /zswap: wanted an object, got 5/],
  [{ swap: { pages: 1 } }, /swap.pages: .* got 1/],
  [{ swap: { readErrorRate: 1.5 } }, /readErrorRate: .* 0 to 1, got 1.5/],
  [{ swap: { readMicroseconds: 0 } }, /readMicroseconds: .* > 0, got 0/],
  [{ swap: { queueDepth: 0 } }, /queueDepth: .* got 0/],
  [{ frame: 64 }, /no option "frame"; there are frames, cpus/],
  [{ zswap: { percent: 4 } }, /zswap: no option "percent"/],
  [null, /makeMachine: wanted an object, got null/],
  [{ cpus: 0 }, /cpus: wanted a whole number from 1 to 64, got 0/],
  [{ frames: 64, nodes: 5 }, /nodes: .* from 1 to 4, got 5/],
  [{ pageCluster: 32 }, /pageCluster: .* 0 to 31, got 32/],
  [{ proposals: 1 }, /proposals: wanted an object, got 1/],
  [
    { proposals: { lru: "on" } },
    /proposals: no option "lru"; there are zswap_invalidate_at, /,
  ],
  [
    { proposals: { zap_frees_swap: "no" } },
    /zap_frees_swap: wanted one of trylock, lock, scan; got "no"/,
  ],
  [{ swap: { kind: "tape" } }, /swap.kind: .* ssd, hdd, brd, zram.*"tape"/],
  [{ swap: [{}, { pages: 1 }] }, /swap\[1\].pages: .* got 1/],
  [{ swap: [{ priority: -1 }] }, /swap\[0\].priority: .* got -1/],
  [{ swap: { kind: "brd", queueDepth: 8 } }, /swap: no option "queueDepth"/],
  [{ swap: new Array(24) }, /number of devices: .* 0 to 23, got 24/],
];

for (const [options, message] of nonsense) {
  Deno.test(`makeMachine() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => makeMachine(options as MachineOptions), message);
  });
}

Deno.test("makeMachine() without options is a machine of 4 MiB", () => {
  const machine = makeMachine();
  assert.equal(report(machine).meminfo.MemTotal, 4096);
  assert.equal(report(machine).swaps.length, 1);
  checkMachine(machine);
});

Deno.test("a machine's settings say all that was left open", () => {
  const { settings } = makeMachine({
    proposals: { second_chance: "off" },
    swap: [{ kind: "brd", pages: 64, priority: 5 }, {}],
  });
  assert.deepEqual(settings.proposals, { ...v6_12, second_chance: "off" });
  assert.deepEqual(
    settings.swap.map(({ kind, pages, priority }) => [kind, pages, priority]),
    [["brd", 64, 5], ["ssd", 4096, null]],
  );
  assert.equal(settings.cpus, 1);
  assert.equal(settings.nodes, 1);
  assert.equal(settings.pageCluster, 3);
});

Deno.test("nodes share the memory in equal parts", () => {
  const { k } = makeMachine({ frames: 100, nodes: 3 });
  assert.deepEqual(
    k.nodes.map((node) => [
      node.node_start_pfn,
      node.node_end_pfn,
      node.zone.free_list.length,
    ]),
    [[0, 33, 32], [33, 66, 33], [66, 100, 34]],
  );
  assert.equal(k.root_mem_cgroup.nodeinfo.length, 3);
  checkMachine({ k });
});

Deno.test("processes run on one CPU after the other", () => {
  const machine = makeMachine({ cpus: 2 });
  const cpus = [1, 2, 3].map(() => machine.spawn({ pages: 1 }).task.cpu);
  assert.deepEqual(cpus, [0, 1, 0]);
});

Deno.test("a process refuses pages that it does not have", () => {
  const machine = makeMachine({ frames: 64 });
  assert.throws(() => machine.spawn({ pages: 0 }), /pages: .* got 0/);
  const program = machine.spawn({ pages: 10 });
  assert.throws(() => program.read(10), /from 0 to 9, got 10/);
  assert.throws(() => program.touch(-1), RangeError);
  assert.throws(() => program.write(0, new Uint8Array(5), 4095), RangeError);
  assert.throws(() => program.write(0, "x" as never), TypeError);
  program.exit();
  assert.throws(() => program.read(0), /has ended/);
});

Deno.test("the shadow check finds one changed byte, with the page's history", () => {
  const machine = makeMachine({ frames: 64 });
  const program = machine.spawn({ pages: 10 });
  program.write(3, new Uint8Array([1, 2, 3, 4]));
  const frame = entryAt(program, 3).frame!;
  machine.k.memory[frame * 4096 + 2]! ^= 0xff;
  assert.throws(
    () => program.read(3),
    (error: Error) =>
      error instanceof KernelBug &&
      /page 3, byte 2: wrote 0x03, reads 0xfc/.test(error.message) &&
      /set_pte: a new frame is mapped/.test(error.message),
  );
});

Deno.test("the shadow check finds a byte that changes in zswap", () => {
  const machine = makeMachine({ frames: 64, zswap: { compressor: "null" } });
  const program = machine.spawn({ pages: 100 });
  program.fill(makePageSource("text", 1));
  const { sectors } = machine.k.swap_info[0]!.disk as Disk;
  const page = [...Array(100).keys()]
    .find((p) => program.whereabouts(p) === "swap")!;
  const offset = Number(entryAt(program, page).slot!.split(":")[1]);
  sectors.get(offset)![17]! ^= 1;
  assert.throws(() => program.read(page), /Data corruption.*byte 17/);
});

/** Each breaks one thing that checkMachine() must notice. */
const breakages: [string, (k: ReturnType<typeof makeMachine>["k"]) => void][] =
  [
    ["a lost frame", (k) => void k.nodes[0]!.zone.free_list.length--],
    ["a count too high", (k) => void k.swap_info[0]!.swap_map[usedSlot(k)]!++],
    ["a slot leaked", (k) => void k.nr_swap_pages--],
    [
      "a list counter",
      (k) => void k.root_mem_cgroup.nodeinfo[0]!.lruvec.lru_size[0]!++,
    ],
    ["a stored page counted twice", (k) => void k.zswap.stored_pages++],
    ["a compressed copy lost", (k) => {
      const [offset] = [...k.zswap.trees[0]![0]!.xa.entries.keys()];
      k.zswap.trees[0]![0]!.xa.entries.delete(offset!);
    }],
    ["a mapping not counted", (k) => {
      foliosInUse(k).find((folio) => folio._mapcount === 1)!
        ._mapcount = 0;
    }],
    ["a page-table entry gone", (k) => {
      const [table] = [...[...k.mms][0]!.tables.values()];
      const { words } = table!.store;
      words[words.findIndex((word) => word !== 0n)] = 0n;
    }],
    ["a warning", (k) => void k.warnings.push("something")],
  ];

function usedSlot(k: ReturnType<typeof makeMachine>["k"]): number {
  return k.swap_info[0]!.swap_map.findIndex((byte) => byte === 1);
}

for (const [what, breakIt] of breakages) {
  Deno.test(`checkMachine() notices ${what}`, () => {
    const machine = makeMachine({ frames: 64 });
    machine.spawn({ pages: 100 }).fill(makePageSource("python", 1));
    checkMachine(machine);
    breakIt(machine.k);
    assert.throws(() => checkMachine(machine), /Invariant broken/);
  });
}

Deno.test("report() adds up", () => {
  const machine = makeMachine({ frames: 128 });
  machine.spawn({ pages: 200 }).fill(makePageSource("sqlite", 1));
  const { meminfo, zswap, vmstat, swaps } = report(machine);
  assert.equal(meminfo.Zswapped, zswap.stored_pages * 4);
  assert.equal(meminfo.Zswap * 1024, zswap.pool_total_size);
  assert.equal(meminfo.SwapTotal - meminfo.SwapFree, swaps[0]!.Used);
  assert.equal(
    vmstat.pgalloc_normal - vmstat.pgfree,
    127 - meminfo.MemFree / 4,
  );
  assert.ok(compressedBytes(machine) < zswap.pool_total_size);
});

Deno.test("runWorkload() gives the same samples each time", () => {
  const run = () => {
    const machine = makeMachine({ frames: 128 });
    const programs = [1, 2].map((seed) => {
      const process = machine.spawn({ pages: 100 });
      process.fill(makePageSource("node", seed));
      return { process, accesses: zipf({ pages: 100, count: 500, seed }) };
    });
    return runWorkload(machine, programs, 250);
  };
  assert.deepEqual(run(), run());
  assert.deepEqual(run().map((sample) => sample.access), [
    0,
    250,
    500,
    750,
    1000,
  ]);
});

Deno.test("runWorkload() goes on with the longer program", () => {
  const machine = makeMachine({ frames: 64 });
  const programs = [10, 25].map((count) => ({
    process: machine.spawn({ pages: 5 }),
    accesses: sequential({ pages: 5, count }),
  }));
  const samples = runWorkload(machine, programs, 30);
  assert.deepEqual(samples.map((sample) => sample.access), [0, 30, 35]);
  assert.throws(() => runWorkload(machine, [], 0), RangeError);
});

Deno.test("runForks() leaves the parent as it was", () => {
  const machine = makeMachine({ frames: 128, debug: true });
  const parent = machine.spawn({ pages: 150 });
  const source = makePageSource("redis", 1);
  parent.fill(source);
  const samples = runForks(machine, parent, { children: 4, count: 60 });
  assert.equal(samples.length, 5);
  const expected = new Uint8Array(4096);
  for (let page = 0; page < 150; page++) {
    source.fill(page, expected);
    assert.deepEqual(parent.read(page), expected);
  }
  assert.equal(machine.processes.length, 1);
});

Deno.test("settle() ends with an idle disk and nothing queued", () => {
  const machine = makeMachine({ frames: 64, zswap: { enabled: false } });
  const program = machine.spawn({ pages: 100 });
  runWorkload(machine, [{
    process: program,
    accesses: random({ pages: 100, count: 300, writeFraction: 1 }),
  }]);
  machine.settle();
  assert.equal(machine.k.clock.events.length, 0);
  assert.equal(machine.k.workqueue.pending.length, 0);
  checkMachine(machine);
});
