/**
 * How near our LZ4 comes to liblz4 in time and size. Ours.
 *
 *     deno run -A bench/lz4_bench.ts [--json] [--safety]
 *
 * Peer: Debian's liblz4 through FFI, one call a page. The candidates take
 * turns every 16 pages, which is well below a time slice, so that what else
 * the machine does hits them alike; a figure is the sum of the medians of all
 * these turns. A first pass over everything only lets the compiler finish.
 */
import { makeLz4 } from "swaplab/crypto/lz4.ts";
import { makeLz4js } from "swaplab/crypto/lz4js.ts";
import { type LibLz4, openLibLz4 } from "../tests/crypto/liblz4.ts";
import { type Bytes, corpora, type Corpus, PAGE_SIZE } from "./corpora.ts";
import { safetyRows } from "./lz4_safety.ts";
import type { Row } from "./row.ts";

const ROUNDS = 41;
const TURN = 16;

interface Candidate {
  readonly name: string;
  compress(src: Bytes, dst: Bytes): number;
  decompress(src: Bytes, dst: Bytes): number;
}

/** Nanoseconds a page, and what the blocks of the corpus came to. */
interface Result {
  compress: number;
  decompress: number;
  bytes: number;
}

const noPeer = "none: there is no liblz4.so.1 here, and no other peer";

function candidates(liblz4: LibLz4): Candidate[] {
  const peer = { ...liblz4, name: `liblz4 ${liblz4.version}` };
  return [peer, makeLz4(), makeLz4js()];
}

/** Blocks one behind the other in one buffer, as in a pool. */
function compressAll(candidate: Candidate, { pages }: Corpus): Bytes[] {
  const pool = new Uint8Array(pages.length * (PAGE_SIZE + 64));
  let end = 0;
  return pages.map((page) => {
    const room = pool.subarray(end, end + PAGE_SIZE + 64);
    const size = candidate.compress(page, room);
    if (size <= 0) return room.subarray(0, 0);
    end += size;
    return room.subarray(0, size);
  });
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

/**
 * What `work(i, k)` costs for candidate k, over all i below `count`, taking
 * turns. @returns nanoseconds for one i, by candidate
 */
function takeTurns(
  count: number,
  candidateCount: number,
  work: (i: number, candidate: number) => void,
): number[] {
  const turns = Math.floor(count / TURN);
  const times = Array.from(
    { length: candidateCount },
    () => Array.from({ length: turns }, (): number[] => []),
  );
  // Once over everything, then again: nobody learns 16 pages by heart.
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < turns; turn++) {
      for (let k = 0; k < candidateCount; k++) {
        const start = performance.now();
        for (let i = turn * TURN; i < (turn + 1) * TURN; i++) work(i, k);
        times[k]![turn]!.push(performance.now() - start);
      }
    }
  }
  return times.map((each) => {
    const sum = each.reduce((total, values) => total + median(values), 0);
    return (sum * 1e6) / (turns * TURN);
  });
}

/** All candidates over one corpus. */
function measure(all: Candidate[], corpus: Corpus): Result[] {
  const { pages } = corpus;
  const room = new Uint8Array(PAGE_SIZE + 64);
  const page = new Uint8Array(PAGE_SIZE);
  const blocks = all.map((candidate) => compressAll(candidate, corpus));
  const compress = takeTurns(pages.length, all.length, (i, k) => {
    all[k]!.compress(pages[i]!, room);
  });
  const decompress = takeTurns(pages.length, all.length, (i, k) => {
    const block = blocks[k]![i]!;
    if (block.length > 0) all[k]!.decompress(block, page);
  });
  return all.map((_, k) => ({
    compress: compress[k]!,
    decompress: decompress[k]!,
    bytes: blocks[k]!.reduce((n, { length }) => n + (length || PAGE_SIZE), 0),
  }));
}

function geometricMean(values: number[]): number {
  const sum = values.reduce((total, value) => total + Math.log(value), 0);
  return Math.exp(sum / values.length);
}

/** The rows of one candidate; a goal of Infinity: shown for comparison. */
function rowsOf(
  all: Candidate[],
  k: number,
  sets: Corpus[],
  results: Result[][],
): Row[] {
  const { name } = all[k]!;
  const peer = all[0]!.name;
  const own = name === "lz4";
  const rows: Row[] = [];
  const add = (what: string, ratios: number[], each: number, mean: number) => {
    const row = (label: string, ratio: number, goal: number) => {
      const reached = own ? goal : Infinity;
      rows.push({ name: label, ratio, peer, goal: reached, better: "less" });
    };
    ratios.forEach((ratio, c) =>
      row(`${name} ${what} ${sets[c]!.name}`, ratio, each)
    );
    row(`${name} ${what} mean`, geometricMean(ratios), mean);
  };
  const times = (of: (result: Result) => number) =>
    results.map((row) => of(row[k]!) / of(row[0]!));
  add("compress", times((row) => row.compress), 1.6, 1.5);
  add("decompress", times((row) => row.decompress), 2.0, 1.75);
  rows.push({
    name: `${name} compression ratio`,
    ratio: 1 / geometricMean(times((row) => row.bytes)),
    peer,
    goal: own ? 0.998 : 0,
    better: "more",
  });
  return rows;
}

/**
 * Our LZ4 beside liblz4: time on each corpus and in the mean, and size; then
 * lz4js likewise. Without a peer: one row that says so.
 */
export function lz4Rows(): Row[] {
  const liblz4 = openLibLz4();
  if (liblz4 === null) {
    const missing = { ratio: NaN, peer: noPeer, goal: 1.5, better: "less" };
    return [{ name: "lz4 compress mean", ...missing } as Row];
  }
  const all = candidates(liblz4);
  const sets = corpora();
  sets.forEach((corpus) => measure(all, corpus));
  const results = sets.map((corpus) => measure(all, corpus));
  return [
    ...rowsOf(all, 1, sets, results),
    ...rowsOf(all, 2, sets, results),
  ];
}

if (import.meta.main) {
  const rows = lz4Rows();
  if (Deno.args.includes("--safety")) rows.push(...safetyRows());
  for (const row of rows) {
    const { name, ratio, goal, better, peer } = row;
    if (Deno.args.includes("--json")) {
      console.log(JSON.stringify(row));
      continue;
    }
    const wanted = Number.isFinite(goal) && goal > 0
      ? `goal ${better === "less" ? "≤" : "≥"} ${goal}`
      : "";
    const figure = String(+ratio.toFixed(4)).padStart(9);
    console.log(name.padEnd(40), figure, wanted.padEnd(14), peer);
  }
}
