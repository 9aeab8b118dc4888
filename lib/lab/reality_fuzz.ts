/**
 * Directed workloads by seed: pages of all kinds, then 31 random steps of
 * writing, reading, paging out and freeing, with a child now and then. Every
 * swap-out is asked for, so that a kernel and the engine have no choice.
 *
 * The shipped z-fuzz workloads are of the same kind, made elsewhere. Ours.
 */
import { makeRng, nextBelow, type Rng } from "../sim/rng.ts";

const pages = 512;
const steps = 31;

/** The most that each kind gets, in percent; what is left is random bytes. */
const shares: ReadonlyMap<string, number> = new Map([
  ["zero", 12],
  ["same", 10],
  ["text", 36],
  ["heap", 15],
  ["half", 8],
  ["threeq", 10],
  ["sparse", 10],
]);

function mixOf(rng: Rng): string {
  const parts = [...shares].map(([kind, most]) =>
    `${kind}:${nextBelow(rng, most + 1)}`
  );
  return [...parts, "rand:100"].join(",");
}

/** "37 152": a first page and a number of pages, small or large. */
function rangeOf(rng: Rng): string {
  const most = nextBelow(rng, 2) === 0 ? 20 : 200;
  const count = 1 + nextBelow(rng, most);
  return `${nextBelow(rng, pages - count + 1)} ${count}`;
}

/** One step; `child` tells whether there is a B. */
function stepOf(rng: Rng, child: boolean): string {
  const who = child && nextBelow(rng, 2) === 0 ? "B" : "A";
  const draw = nextBelow(rng, 100);
  if (draw < 8) return child ? "exit B" : "fork A B";
  if (draw < 16) return `free ${who} R ${rangeOf(rng)}`;
  if (draw < 45) return `pageout ${who} R ${rangeOf(rng)} each`;
  return `${draw < 72 ? "write" : "read"} ${who} R ${rangeOf(rng)}`;
}

/** fuzzWorkload() - the text of a `.wl` file; the seed decides everything. */
export function fuzzWorkload(seed: number): string {
  const rng = makeRng(seed);
  const lines = [
    `# directed fuzz, seed ${seed}`,
    "sysctl swappiness=100 page-cluster=0",
    "zswap compressor=@comp@ zpool=@zpool@ max_pool_percent=20 " +
    "accept_threshold_percent=90 enabled=1",
    "swapon @dev@",
    "cg w",
    "spawn A w",
    `alloc A R ${pages} seed=${1000 + seed} mix=${mixOf(rng)}`,
    `write A R 0 ${pages}`,
    ...snapshot("s0"),
    `pageout A R 0 ${pages} each`,
  ];
  let child = false;
  for (let step = 1; step <= steps; step++) {
    lines.push(...snapshot(`s${step}`));
    const command = stepOf(rng, child);
    if (command.startsWith("fork")) child = true;
    if (command.startsWith("exit")) child = false;
    lines.push(command);
  }
  lines.push(...snapshot("last"));
  if (child) lines.push("exit B");
  return [...lines, "exit A", ...snapshot("end")].join("\n") + "\n";
}

function snapshot(label: string): string[] {
  return ["settle", `snap ${label}`];
}
