/**
 * Pages to measure compressors with: five corpora of 4 KiB pages, all found on
 * the machine that runs it. Ours.
 *
 * The project's own text, its packages' JSON, the code of the Deno binary,
 * generated heap objects and the sampled process memory. The pages of a corpus
 * lie one behind the other in one buffer, as those of a machine do.
 */
import { gunzipSync } from "node:zlib";
import { fillKernelPage } from "swaplab/lab/kernel_pages.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export const PAGE_SIZE = 4096;
const PAGES = 512;
const root = new URL("../", import.meta.url);

export interface Corpus {
  readonly name: string;
  readonly pages: readonly Bytes[];
}

/** `count` pieces of one buffer, each of `size` bytes. */
export function piecesOf(memory: Bytes, count: number, size: number): Bytes[] {
  return Array.from(
    { length: count },
    (_, i) => memory.subarray(i * size, (i + 1) * size),
  );
}

/** Whole pages of `bytes`, at most PAGES, spread evenly. */
function paged(name: string, bytes: Uint8Array): Corpus {
  const count = Math.floor(bytes.length / PAGE_SIZE);
  const wanted = Math.min(PAGES, count);
  const memory = new Uint8Array(wanted * PAGE_SIZE);
  const pages = piecesOf(memory, wanted, PAGE_SIZE);
  pages.forEach((page, i) => {
    const from = Math.floor((i * count) / wanted) * PAGE_SIZE;
    page.set(bytes.subarray(from, from + PAGE_SIZE));
  });
  return { name, pages };
}

function joined(parts: readonly Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** All files below `folder` whose name matches, in order, end to end. */
function filesBelow(folder: URL, wanted: RegExp, limit: number): Bytes {
  const parts: Uint8Array[] = [];
  let size = 0;
  const visit = (at: URL): void => {
    const entries = [...Deno.readDirSync(at)];
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, isDirectory, isFile } of entries) {
      if (size >= limit) return;
      // lib/lab/data is no text, though its name says so: it is base64.
      if (isDirectory && name !== "data") visit(new URL(`${name}/`, at));
      if (!isFile || !wanted.test(name)) continue;
      const bytes = Deno.readFileSync(new URL(name, at));
      parts.push(bytes);
      size += bytes.length;
    }
  };
  visit(folder);
  return joined(parts);
}

/** `size` bytes from the middle of the running binary: machine code. */
function machineCode(size: number): Bytes {
  using file = Deno.openSync(Deno.execPath());
  const middle = Math.floor(file.statSync().size / 2);
  file.seekSync(middle - (middle % PAGE_SIZE), Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  file.readSync(bytes);
  return bytes;
}

function heapObjects(): Bytes {
  const bytes = new Uint8Array(PAGES * PAGE_SIZE);
  piecesOf(bytes, PAGES, PAGE_SIZE).forEach((page, i) =>
    fillKernelPage(page, "heap", 1, i, 1)
  );
  return bytes;
}

function sampledMemory(): Bytes {
  const folder = new URL("lib/lab/data/pages/", root);
  return joined(
    ["node", "python", "redis", "sqlite"].map((name) =>
      gunzipSync(Deno.readFileSync(new URL(`${name}.pages.gz`, folder)))
    ),
  );
}

export function corpora(): Corpus[] {
  const json = filesBelow(new URL("node_modules/.deno/", root), /\.json$/, 4e6);
  return [
    paged("text", filesBelow(new URL("lib/", root), /\.(ts|md)$/, 4e6)),
    paged("json", json),
    paged("code", machineCode(8 << 20)),
    paged("heap", heapObjects()),
    paged("memory", sampledMemory()),
  ];
}
