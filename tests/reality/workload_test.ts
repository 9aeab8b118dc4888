import assert from "node:assert/strict";
import { parseWorkload, WorkloadError } from "swaplab/lab/reality_workload.ts";

const here = new URL("data/workloads/", import.meta.url);

Deno.test("every shipped workload can be read, and has snapshots", () => {
  const values = { comp: "lz4", zpool: "zbud", dev: "/dev/vda" };
  const files = [...Deno.readDirSync(here)].map(({ name }) => name);
  assert.equal(files.length, 16);
  for (const file of files) {
    const text = Deno.readTextFileSync(new URL(file, here));
    const commands = parseWorkload(text, file, values);
    assert(commands.some(({ op }) => op === "snap"), file);
  }
});

Deno.test("a command knows its line and what it is asked for", () => {
  const text = "# first\n\npageout A R 4 0x10 each # and so on\n";
  assert.deepEqual(parseWorkload(text, "a.wl"), [{
    op: "pageout",
    process: "A",
    region: "R",
    start: 4,
    count: 16,
    each: true,
    line: 3,
    text: "pageout A R 4 0x10 each",
  }]);
});

Deno.test("touch and alloc have the defaults of the guest's program", () => {
  const [alloc, touch] = parseWorkload("alloc A R 8\ntouch A R 5\n", "a.wl");
  assert(alloc?.op === "alloc" && touch?.op === "touch");
  assert.deepEqual([alloc.seed, alloc.mix], [1, "rand:100"]);
  const { seed, writes, hot } = touch;
  assert.deepEqual({ seed, writes, hot }, { seed: 1, writes: 0, hot: false });
});

Deno.test("what stands between @ is filled in", () => {
  const [command] = parseWorkload("swapon @dev@\n", "a.wl", { dev: "/dev/x" });
  assert.deepEqual(command?.op === "swapon" && command.device, "/dev/x");
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ["fly A", /a\.wl:2: no command "fly"\n {2}fly A/],
  ["constructor A", /no command "constructor"/],
  ["write A R 0", /write: the number of pages is missing/],
  ["write A R x 2", /first page: wanted a whole number ≥ 0, got "x"/],
  ["write A R 0 2 each", /only pageout can be followed by "each"/],
  ["pageout A R 0 2 each now", /"now": nothing more was expected here/],
  ["touch A R 5 dist=warm", /dist: wanted uniform or hot, got "warm"/],
  ["touch A R 5 speed=3", /no option "speed"; there are seed, wr, dist/],
  ["sysctl swappiness", /wanted NAME=VALUE, got "swappiness"/],
  ["swapon @dev@", /nothing is given for @dev@/],
];

for (const [line, message] of mistakes) {
  Deno.test(`a workload with "${line}" is refused, and says where`, () => {
    const parse = () => parseWorkload(`settle\n${line}\n`, "a.wl");
    assert.throws(parse, WorkloadError);
    assert.throws(parse, { message });
  });
}
