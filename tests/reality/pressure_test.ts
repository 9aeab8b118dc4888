import assert from "node:assert/strict";
import {
  bandOf,
  checkPressure,
  groupRuns,
} from "swaplab/lab/reality_pressure.ts";
import {
  parseRecordings,
  type Recording,
} from "swaplab/lab/reality_recording.ts";

const data = new URL("data/", import.meta.url);

function shipped(): Recording[] {
  const text = Deno.readTextFileSync(new URL("pressure.json", data));
  return parseRecordings(text, "pressure.json");
}

/** A group of 256 pages, 128 of them the worker's own; 200 are written. */
const workload = `sysctl page-cluster=0
zswap compressor=lz4 zpool=zbud enabled=1
swapon /dev/vda
cg w memory.max=1048576
spawn A w
alloc A R 200 seed=3 mix=text:50,half:50
write A R 0 200
settle
snap full
read A R 0 200
settle
snap read
`;

function recording(counters: Recording["counters"]): Recording {
  return {
    kernel: "6.12.117+deb12-amd64",
    zpool: "zbud",
    workload: "w",
    swap: "vda",
    mode: "plain",
    run: 1,
    memTotalKb: 4096,
    bad: 0,
    labels: ["full", "read"],
    counters,
  };
}

Deno.test("the engine keeps every rule in a group that is too small", () => {
  const { run, engineRules } = checkPressure([recording({})], workload);
  assert.equal(run.bad, 0);
  for (const { rule, held, broken } of engineRules) {
    assert.deepEqual([rule, held, broken], [rule, 2, []]);
  }
});

Deno.test("a rule that a kernel's values break is told with its snapshot", () => {
  const kernel = recording({
    "memory.current": [1_100_000, 1],
    "A.present": [150, 150],
    "A.swapped": [50, 60],
  });
  const { kernelRules } = checkPressure([kernel], workload);
  const broken = kernelRules.flatMap((one) =>
    one.broken.map((label) => `${one.rule}: ${label}`)
  );
  assert.deepEqual(broken, [
    "present + swapped + none = pages of the region: read",
    "memory.current ≤ memory.max: full",
  ]);
});

Deno.test("runs of one machine are one band", () => {
  const runs = [[10, 20], [12, 18]].map((values) =>
    recording({ "A.swapped": values })
  );
  const groups = groupRuns([...runs, { ...runs[0]!, swap: "brd" }]);
  assert.deepEqual(groups.map((group) => group.length), [2, 1]);
  const [full, read] = bandOf(checkPressure(groups[0]!, workload), "A.swapped");
  assert.deepEqual([full?.least, full?.most], [10, 12]);
  assert.deepEqual([read?.least, read?.most], [18, 20]);
});

Deno.test("the recorded kernels keep their rules: 91 runs of 56 kinds", () => {
  const groups = groupRuns(shipped());
  assert.deepEqual([groups.length, groups.flat().length], [56, 91]);
  for (const recording of groups.flat()) {
    const written = recording.counters["zswap.written_back_pages"] ?? [];
    const out = recording.counters["vm.pswpout"];
    for (const [i, pages] of written.entries()) {
      assert.ok(pages === null || pages <= (out?.[i] ?? 0), recording.workload);
    }
  }
});
