/**
 * How near our LZ4 comes to liblz4, and what it leaves behind.
 *
 *     deno run --allow-read --allow-ffi bench/lz4_bench.ts [--json]
 *
 * Five corpora of 4 KiB pages, all found on the machine that runs it: the
 * project's own text, its packages' JSON, the code of the Deno binary,
 * generated heap objects and the sampled process memory. The candidates take
 * turns, a round each; a figure is the median over the rounds. Peer: Debian's
 * liblz4 through FFI, one call a page. Without it nothing is compared.
 */
import { gunzipSync } from "node:zlib";
import { makeLz4 } from "swaplab/crypto/lz4.ts";
import { makeLz4js } from "swaplab/crypto/lz4js.ts";
import { fillKernelPage } from "../tests/crypto/kernel_pages.ts";
import { type LibLz4, openLibLz4 } from "../tests/crypto/liblz4.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const PAGE_SIZE = 4096;
const PAGES = 512;
const ROUNDS = 15;
const root = new URL("../", import.meta.url);

interface Candidate {
  readonly name: string;
  compress(src: Bytes, dst: Bytes): number;
  decompress(src: Bytes, dst: Bytes): number;
}

interface Corpus {
  readonly name: string;
  readonly pages: readonly Bytes[];
}

/** Median nanoseconds a page, and what the blocks came to. */
interface Result {
  compress: number;
  decompress: number;
  bytes: number;
}

/** Whole pages of `bytes`, at most PAGES, spread evenly. */
function paged(name: string, bytes: Uint8Array): Corpus {
  const count = Math.floor(bytes.length / PAGE_SIZE);
  const wanted = Math.min(PAGES, count);
  const memory = new Uint8Array(wanted * PAGE_SIZE);
  const pages: Bytes[] = [];
  for (let i = 0; i < wanted; i++) {
    const from = Math.floor((i * count) / wanted) * PAGE_SIZE;
    const page = memory.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
    page.set(bytes.subarray(from, from + PAGE_SIZE));
    pages.push(page);
  }
  return { name, pages };
}

/** All files below `folder` whose name matches, in order, end to end. */
function filesBelow(folder: URL, wanted: RegExp, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const visit = (at: URL): void => {
    const entries = [...Deno.readDirSync(at)];
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, isDirectory, isFile } of entries) {
      if (size >= limit) return;
      if (isDirectory) visit(new URL(`${name}/`, at));
      if (!isFile || !wanted.test(name)) continue;
      const bytes = Deno.readFileSync(new URL(name, at));
      parts.push(bytes);
      size += bytes.length;
    }
  };
  visit(folder);
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** `size` bytes from the middle of the running binary: machine code. */
function machineCode(size: number): Uint8Array {
  using file = Deno.openSync(Deno.execPath());
  const middle = Math.floor(file.statSync().size / 2);
  file.seekSync(middle - (middle % PAGE_SIZE), Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  file.readSync(bytes);
  return bytes;
}

function heapObjects(): Uint8Array {
  const bytes = new Uint8Array(PAGES * PAGE_SIZE);
  for (let i = 0; i < PAGES; i++) {
    const page = bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
    fillKernelPage(page, "heap", 1, i, 1);
  }
  return bytes;
}

function sampledMemory(): Uint8Array {
  const folder = new URL("lib/lab/data/pages/", root);
  const samples = ["node", "python", "redis", "sqlite"].map((name) =>
    gunzipSync(Deno.readFileSync(new URL(`${name}.pages.gz`, folder)))
  );
  return new Uint8Array(samples.flatMap((sample) => [...sample]));
}

function corpora(): Corpus[] {
  const json = filesBelow(new URL("node_modules/.deno/", root), /\.json$/, 4e6);
  return [
    paged("text", filesBelow(new URL("lib/", root), /\.(ts|md)$/, 4e6)),
    paged("json", json),
    paged("code", machineCode(8 << 20)),
    paged("heap", heapObjects()),
    paged("memory", sampledMemory()),
  ];
}

function candidates(liblz4: LibLz4): Candidate[] {
  const raw = { ...liblz4, name: `liblz4 ${liblz4.version}` };
  return [raw, makeLz4(), makeLz4js()];
}

/** Blocks of one candidate, kept at their exact size for the decoder. */
function compressAll(candidate: Candidate, { pages }: Corpus): Bytes[] {
  const room = new Uint8Array(PAGE_SIZE + 64);
  return pages.map((page) => {
    const size = candidate.compress(page, room);
    return size > 0 ? room.slice(0, size) : page;
  });
}

function timeRound(work: () => void, pages: number): number {
  const start = performance.now();
  work();
  return ((performance.now() - start) * 1e6) / pages;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

/** All candidates over one corpus, taking turns. */
function measure(all: Candidate[], corpus: Corpus): Result[] {
  const { pages } = corpus;
  const room = new Uint8Array(PAGE_SIZE + 64);
  const page = new Uint8Array(PAGE_SIZE);
  const blocks = all.map((candidate) => compressAll(candidate, corpus));
  const times = all.map(() =>
    ({ compress: [], decompress: [] }) as {
      compress: number[];
      decompress: number[];
    }
  );
  for (let round = 0; round < ROUNDS + 3; round++) {
    all.forEach((candidate, i) => {
      const compress = timeRound(() => {
        for (const source of pages) candidate.compress(source, room);
      }, pages.length);
      const decompress = timeRound(() => {
        for (const block of blocks[i]!) {
          if (block.length < PAGE_SIZE) candidate.decompress(block, page);
        }
      }, pages.length);
      if (round < 3) return; // The compiler still works on it.
      times[i]!.compress.push(compress);
      times[i]!.decompress.push(decompress);
    });
  }
  return all.map((_, i) => ({
    compress: median(times[i]!.compress),
    decompress: median(times[i]!.decompress),
    bytes: blocks[i]!.reduce((sum, block) => sum + block.length, 0),
  }));
}

/** How many of a candidate's blocks liblz4 does not give the page back for. */
function refused(liblz4: LibLz4, candidate: Candidate, corpus: Corpus): number {
  const page = new Uint8Array(PAGE_SIZE);
  const blocks = compressAll(candidate, corpus);
  return blocks.filter((block, i) => {
    if (block.length === PAGE_SIZE) return false;
    const size = liblz4.decompress(block, page);
    if (size !== PAGE_SIZE) return true;
    return corpus.pages[i]!.some((byte, at) => byte !== page[at]);
  }).length;
}

function geometricMean(values: number[]): number {
  const sum = values.reduce((total, value) => total + Math.log(value), 0);
  return Math.exp(sum / values.length);
}

function report(liblz4: LibLz4, json: boolean): void {
  const all = candidates(liblz4);
  const sets = corpora();
  const results = sets.map((corpus) => measure(all, corpus));
  const peer = all[0]!.name;
  if (!json) {
    console.log(
      "corpus  candidate     compress ns    × decompress ns    ×  size",
    );
  }
  results.forEach((rows, c) => {
    rows.forEach((row, i) => {
      if (json) return;
      const base = rows[0]!;
      console.log(
        sets[c]!.name.padEnd(7),
        all[i]!.name.padEnd(13),
        row.compress.toFixed(0).padStart(11),
        (row.compress / base.compress).toFixed(2).padStart(5),
        row.decompress.toFixed(0).padStart(12),
        (row.decompress / base.decompress).toFixed(2).padStart(5),
        (row.bytes / base.bytes).toFixed(4),
      );
    });
  });
  for (let i = 1; i < all.length; i++) {
    const own = all[i]!.name === "lz4";
    const mean = (of: (row: Result) => number) =>
      geometricMean(results.map((rows) => of(rows[i]!) / of(rows[0]!)));
    const lines = [
      {
        name: `${all[i]!.name} compress time`,
        ratio: mean((row) => row.compress),
        peer,
        goal: own ? 1.5 : null,
        better: "lower",
      },
      {
        name: `${all[i]!.name} decompress time`,
        ratio: mean((row) => row.decompress),
        peer,
        goal: own ? 1.75 : null,
        better: "lower",
      },
      {
        name: `${all[i]!.name} compression ratio`,
        ratio: 1 / mean((row) => row.bytes),
        peer,
        goal: own ? 0.998 : null,
        better: "higher",
      },
      {
        name: `${all[i]!.name} blocks refused by liblz4`,
        ratio: sets.reduce((n, set) => n + refused(liblz4, all[i]!, set), 0),
        peer,
        goal: own ? 0 : null,
        better: "lower",
      },
    ];
    for (const line of lines) {
      if (json) console.log(JSON.stringify(line));
      else console.log(`${line.name}: ${+line.ratio.toFixed(4)}`);
    }
  }
}

if (import.meta.main) {
  const liblz4 = openLibLz4();
  if (liblz4 === null) console.error("Cannot compare: no liblz4.so.1 here.");
  else report(liblz4, Deno.args.includes("--json"));
}
