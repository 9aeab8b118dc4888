import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import lz4 from "lz4js";
import {
  makePageSource,
  type PageKind,
  pageKinds,
  type PageSource,
  samplesOf,
} from "swaplab/lab/pages.ts";
import { loadSamples } from "swaplab/lab/samples.ts";

const real = ["python", "node", "sqlite", "redis"] as const;

function pageOf(source: PageSource, index: number): Uint8Array {
  // Filled beforehand: what fill() leaves out would show.
  const page = new Uint8Array(4096).fill(0xa5);
  source.fill(index, page);
  return page;
}

function lz4Size(page: Uint8Array): number {
  const out = new Uint8Array(8192);
  // Each page gets a clean table: lz4js does not clear it.
  return lz4.compressBlock(page, out, 0, 4096, new Uint32Array(65_536)) || 4096;
}

function lz4Ratio(kind: PageKind): number {
  const source = makePageSource(kind, 1);
  let size = 0;
  for (let i = 0; i < 128; i++) size += lz4Size(pageOf(source, i));
  return 128 * 4096 / size;
}

for (const kind of real) {
  Deno.test(`samplesOf() unpacks ${kind} to the bytes of its file`, () => {
    const file = new URL(
      `../../lib/lab/data/pages/${kind}.pages.gz`,
      import.meta.url,
    );
    const pages = samplesOf(loadSamples(), kind);
    equal(pages.length, 128 * 4096);
    ok(gunzipSync(Deno.readFileSync(file)).equals(pages));
  });
}

Deno.test("samplesOf() unpacks each kind once per cache", () => {
  const samples = loadSamples();
  equal(samples.unpacked.size, 0);
  equal(samplesOf(samples, "redis"), samplesOf(samples, "redis"));
  deepEqual([...samples.unpacked.keys()], ["redis"]);
});

Deno.test("fill() deals all 128 samples before one comes again", () => {
  const source = makePageSource("node", 5);
  const digest = (page: Uint8Array) =>
    createHash("sha256").update(page).digest("hex");
  const all = samplesOf(loadSamples(), "node");
  const wanted: string[] = [];
  for (let at = 0; at < all.length; at += 4096) {
    wanted.push(digest(all.subarray(at, at + 4096)));
  }
  const dealt = wanted.map((_, index) => digest(pageOf(source, index)));
  deepEqual(dealt.toSorted(), wanted.toSorted());
  notDeepEqual(dealt, wanted);
  deepEqual(pageOf(source, 128), pageOf(source, 0));
});

Deno.test("fill() gives a page the same bytes in any order of asking", () => {
  for (const kind of pageKinds) {
    const upwards = makePageSource(kind, 42);
    const downwards = makePageSource(kind, 42);
    const pages = [0, 1, 2, 3].map((index) => pageOf(upwards, index));
    for (const index of [3, 2, 1, 0]) {
      deepEqual(pageOf(downwards, index), pages[index], `${kind} ${index}`);
    }
  }
});

Deno.test("fill() differs by index and by seed, except for zero", () => {
  for (const kind of ["same", "text", "random"] as const) {
    const pages = [1, 2, 2 ** 40].flatMap((seed) => {
      const source = makePageSource(kind, seed);
      return [0, 1, 1000].map((index) => pageOf(source, index).join());
    });
    equal(new Set(pages).size, 9, kind);
  }
});

Deno.test("fill() zero is all zero; same repeats a word that is not", () => {
  ok(pageOf(makePageSource("zero", 1), 7).every((byte) => byte === 0));
  const source = makePageSource("same", 1);
  for (let index = 0; index < 50; index++) {
    const page = pageOf(source, index);
    ok(page.subarray(0, 8).some((byte) => byte !== 0));
    ok(page.every((byte, at) => byte === page[at % 8]));
  }
});

Deno.test("fill() text is ASCII sentences", () => {
  const page = pageOf(makePageSource("text", 1), 0);
  const text = new TextDecoder("ascii").decode(page);
  ok(/^[A-Z][a-z ,.\nA-Z]+$/.test(text), text.slice(0, 200));
  ok(/\. [A-Z]/.test(text));
});

Deno.test("fill() compresses under LZ4 as its kind promises", () => {
  ok(lz4Ratio("zero") > 100);
  ok(lz4Ratio("same") > 100);
  equal(lz4Ratio("random"), 1);
  const text = lz4Ratio("text");
  ok(text > 1.8 && text < 2.6, `${text}`);
  for (const kind of real) {
    const ratio = lz4Ratio(kind);
    ok(ratio > 2.8 && ratio < 4, `${kind} ${ratio}`);
  }
});

Deno.test("fill() golden digest of 16 pages a kind", () => {
  const hash = createHash("sha256");
  for (const kind of pageKinds) {
    const source = makePageSource(kind, 2024);
    for (let index = 0; index < 16; index++) hash.update(pageOf(source, index));
  }
  equal(hash.digest("hex").slice(0, 16), "9db874014199b42a");
});

Deno.test("fill() refuses a wrong length and a wrong index", () => {
  const source = makePageSource(["zero", "python"], 1);
  throws(() => source.fill(0, new Uint8Array(4095)), {
    name: "RangeError",
    message: "into: wanted 4096 bytes, got 4095",
  });
  for (const index of [-1, 0.5, NaN]) {
    const message = `index: wanted a whole number >= 0, got ${index}`;
    throws(() => pageOf(source, index), { name: "RangeError", message });
    throws(() => source.kindOf(index), { name: "RangeError", message });
  }
});

Deno.test("kindOf() mixes by weight, and fill() agrees with it", () => {
  const source = makePageSource([
    { kind: "zero", weight: 3 },
    { kind: "random", weight: 1 },
    { kind: "python", weight: 0 },
  ], 8);
  let zeros = 0;
  for (let index = 0; index < 2000; index++) {
    const isZero = pageOf(source, index).every((byte) => byte === 0);
    equal(source.kindOf(index), isZero ? "zero" : "random");
    if (isZero) zeros++;
  }
  // 1500 ± five standard deviations of 19.4.
  ok(Math.abs(zeros - 1500) < 97, `${zeros}`);
});

Deno.test("makePageSource() takes a list in equal shares", () => {
  const source = makePageSource(real, 8);
  const counts = new Map<PageKind, number>();
  for (let index = 0; index < 4000; index++) {
    const kind = source.kindOf(index);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  for (const kind of real) {
    ok(Math.abs(counts.get(kind)! - 1000) < 137, `${[...counts]}`);
  }
});

Deno.test("makePageSource() refuses kinds it does not know", () => {
  throws(() => makePageSource("perl" as PageKind, 1), {
    name: "RangeError",
    message: "kind: wanted one of python, node, sqlite, redis, zero, same, " +
      "text, random; got perl",
  });
  throws(() => makePageSource([], 1), RangeError);
  throws(() => makePageSource([{ kind: "zero", weight: 0 }], 1), RangeError);
  for (const weight of [-1, NaN, Infinity]) {
    throws(() => makePageSource([{ kind: "zero", weight }], 1), {
      name: "RangeError",
      message: `weight of zero: wanted a finite number >= 0, got ${weight}`,
    });
  }
  throws(() => makePageSource("zero", -1), RangeError);
});

Deno.test("tools/page_data.ts --check finds data/pages.ts up to date", () => {
  const tool = new URL("../../tools/page_data.ts", import.meta.url);
  const { code, stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", tool.href, "--check"],
  }).outputSync();
  equal(new TextDecoder().decode(stdout).trim().endsWith("up to date"), true);
  equal(code, 0);
});
