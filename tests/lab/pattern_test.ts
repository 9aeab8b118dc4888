import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  type Access,
  random,
  sequential,
  workingSetShift,
  zipf,
} from "swaplab/lab/pattern.ts";

function pagesOf(accesses: Iterable<Access>): number[] {
  return Array.from(accesses, ({ page }) => page);
}

function hitsPerPage(accesses: Iterable<Access>, pages: number): number[] {
  const hits = new Array<number>(pages).fill(0);
  for (const { page } of accesses) hits[page]!++;
  return hits;
}

function writesIn(accesses: Iterable<Access>): number {
  return Array.from(accesses).filter(({ write }) => write).length;
}

const windows = { workingSet: 4, shiftEvery: 100 };

Deno.test("sequential() goes round and round", () => {
  deepEqual(pagesOf(sequential({ pages: 3, count: 7 })), [0, 1, 2, 0, 1, 2, 0]);
  deepEqual(pagesOf(sequential({ pages: 3, count: 0 })), []);
});

Deno.test("random() golden start: seed 7, 100 pages", () => {
  const start = pagesOf(random({ pages: 100, count: 8, seed: 7 }));
  deepEqual(start, [4, 92, 39, 30, 65, 30, 6, 20]);
});

Deno.test("zipf() golden start: seed 7, 100 pages", () => {
  const start = pagesOf(zipf({ pages: 100, count: 8, seed: 7 }));
  deepEqual(start, [79, 48, 46, 25, 83, 25, 79, 98]);
});

Deno.test("workingSetShift() golden start: seed 7, 100 pages", () => {
  const options = { pages: 100, count: 8, seed: 7, workingSet: 10 };
  const start = pagesOf(workingSetShift({ ...options, shiftEvery: 4 }));
  deepEqual(start, [1, 39, 1, 3, 13, 14, 17, 10]);
});

Deno.test("random() touches each page about equally often", () => {
  const hits = hitsPerPage(random({ pages: 16, count: 16_000, seed: 3 }), 16);
  // The standard deviation is 31; five of them.
  for (const each of hits) ok(Math.abs(each - 1000) < 155, `${hits}`);
});

Deno.test("zipf() follows rank^-exponent", () => {
  const count = 100_000;
  for (const exponent of [0.5, 1, 2]) {
    const options = { pages: 50, count, seed: 11, exponent };
    const hits = hitsPerPage(zipf(options), 50).sort((a, b) => b - a);
    const weights = hits.map((_, rank) => (rank + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const rank of [0, 1, 4, 9]) {
      const wanted = count * weights[rank]! / total;
      const tolerance = 5 * Math.sqrt(wanted);
      ok(
        Math.abs(hits[rank]! - wanted) < tolerance,
        `exponent ${exponent} rank ${rank}: ${hits[rank]} for ${wanted}`,
      );
    }
  }
});

Deno.test("zipf() with exponent 0 is uniform", () => {
  const options = { pages: 16, count: 16_000, seed: 3, exponent: 0 };
  const hits = hitsPerPage(zipf(options), 16);
  for (const each of hits) ok(Math.abs(each - 1000) < 155, `${hits}`);
});

Deno.test("zipf() lets the seed choose the popular page", () => {
  const popular = [1, 2, 3, 4, 5, 6].map((seed) => {
    const options = { pages: 1000, count: 5000, seed, exponent: 2 };
    const hits = hitsPerPage(zipf(options), 1000);
    return hits.indexOf(Math.max(...hits));
  });
  equal(new Set(popular).size, 6, `${popular}`);
});

Deno.test("workingSetShift() stays in its window, which moves and wraps", () => {
  const options = { pages: 10, count: 400, ...windows, hotFraction: 1 };
  const pages = pagesOf(workingSetShift(options));
  const windowOf = (part: number) =>
    [...new Set(pages.slice(part * 100, part * 100 + 100))].sort();
  deepEqual([0, 1, 2, 3].map(windowOf), [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [0, 1, 8, 9],
    [2, 3, 4, 5],
  ]);
});

Deno.test("workingSetShift() keeps hotFraction of accesses inside", () => {
  const options = { pages: 1000, count: 20_000, workingSet: 10, seed: 5 };
  const fixed = { ...options, shiftEvery: 1, shiftBy: 0, hotFraction: 0.8 };
  const inside = pagesOf(workingSetShift(fixed)).filter((page) => page < 10);
  // 0.8, and one in a hundred of the others by chance.
  ok(Math.abs(inside.length - 16_040) < 300, `${inside.length}`);
});

Deno.test("writeFraction is the share of writes; 0 and 1 are exact", () => {
  const options = { pages: 8, count: 10_000, seed: 9 };
  for (const make of [sequential, random, zipf]) {
    equal(writesIn(make({ ...options, writeFraction: 0 })), 0);
    equal(writesIn(make({ ...options, writeFraction: 1 })), 10_000);
    const third = writesIn(make({ ...options, writeFraction: 0.3 }));
    ok(Math.abs(third - 3000) < 230, `${make.name}: ${third}`);
  }
});

Deno.test("a pattern is the same in each loop and for each equal seed", () => {
  const options = { pages: 64, count: 200, seed: 21, ...windows };
  for (const make of [sequential, random, zipf, workingSetShift]) {
    const once = make(options);
    deepEqual(Array.from(once), Array.from(once));
    deepEqual(Array.from(once), Array.from(make(options)));
    const other = Array.from(make({ ...options, seed: 22 }));
    throws(() => deepEqual(Array.from(once), other), make.name);
  }
});

Deno.test("every pattern refuses nonsense at the call", () => {
  const wrong: [object, RegExp][] = [
    [{ pages: 0 }, /^pages: wanted a whole number >= 1, got 0$/],
    [{ pages: -4 }, /^pages: wanted a whole number >= 1, got -4$/],
    [{ pages: 1.5 }, /^pages: wanted a whole number >= 1, got 1.5$/],
    [{ pages: NaN }, /^pages: wanted a whole number >= 1, got NaN$/],
    [{ count: -1 }, /^count: wanted a whole number >= 0, got -1$/],
    [{ count: Infinity }, /^count: wanted a whole number >= 0, got Infinity$/],
    [{ seed: -1 }, /^seed: wanted a whole number >= 0, got -1$/],
    [{ seed: 0.5 }, /^seed: wanted a whole number >= 0, got 0.5$/],
    [{ writeFraction: -0.1 }, /^writeFraction: wanted a number 0 to 1, got -0/],
    [{ writeFraction: 1.1 }, /^writeFraction: wanted a number 0 to 1, got 1.1/],
    [{ writeFraction: NaN }, /^writeFraction: wanted a number 0 to 1, got NaN/],
  ];
  const good = { pages: 8, count: 10, ...windows };
  for (const make of [sequential, random, zipf, workingSetShift]) {
    for (const [bad, message] of wrong) {
      throws(() => make({ ...good, ...bad }), { name: "RangeError", message });
    }
  }
});

Deno.test("zipf() refuses a nonsense exponent", () => {
  for (const exponent of [-1, NaN, Infinity]) {
    throws(() => zipf({ pages: 8, count: 1, exponent }), {
      name: "RangeError",
      message: `exponent: wanted a number >= 0, got ${exponent}`,
    });
  }
});

Deno.test("workingSetShift() refuses a nonsense window", () => {
  const good = { pages: 8, count: 10, ...windows };
  const wrong: [object, string][] = [
    [{ workingSet: 0 }, "workingSet: wanted a whole number >= 1, got 0"],
    [{ workingSet: 9 }, "workingSet: wanted at most 8 (pages), got 9"],
    [{ shiftEvery: 0 }, "shiftEvery: wanted a whole number >= 1, got 0"],
    [{ shiftBy: -1 }, "shiftBy: wanted a whole number >= 0, got -1"],
    [{ hotFraction: 2 }, "hotFraction: wanted a number 0 to 1, got 2"],
  ];
  for (const [bad, message] of wrong) {
    throws(() => workingSetShift({ ...good, ...bad }), {
      name: "RangeError",
      message,
    });
  }
});
