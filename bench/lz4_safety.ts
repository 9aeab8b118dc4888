/**
 * Counts that must be 0: blocks that liblz4 refuses, pages that come back
 * wrong, bytes written outside the page. Ours.
 */
import { makeLz4 } from "swaplab/crypto/lz4.ts";
import { makeRng } from "swaplab/sim/rng.ts";
import { openLibLz4 } from "../tests/crypto/liblz4.ts";
import { mutate } from "../tests/crypto/mutate.ts";
import { generatedPages } from "../tests/crypto/pages.ts";
import { type Bytes, corpora, PAGE_SIZE } from "./corpora.ts";
import type { Row } from "./row.ts";

/** Pages of every corpus and of every kind that the tests generate. */
function manyPages(): Bytes[] {
  const generated = generatedPages(1000).map(({ bytes }) => bytes);
  return [...corpora().flatMap(({ pages }) => [...pages]), ...generated];
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Blocks of each side that the other one does not give the page back for. */
function exchangeRows(pages: Bytes[]): Row[] {
  const liblz4 = openLibLz4();
  if (liblz4 === null) return [];
  const room = new Uint8Array(2 * PAGE_SIZE);
  const back = new Uint8Array(PAGE_SIZE);
  const own = makeLz4();
  const wrong = (from: typeof own | typeof liblz4, to: typeof from) =>
    pages.filter((page) => {
      const block = room.slice(0, from.compress(page, room));
      return to.decompress(block, back.fill(0xa5)) !== PAGE_SIZE ||
        !equal(back, page);
    }).length;
  const peer = `liblz4 ${liblz4.version}, ${pages.length} pages`;
  const zero = { peer, goal: 0, better: "less" } as const;
  return [
    {
      name: "lz4 blocks that liblz4 refuses",
      ratio: wrong(own, liblz4),
      ...zero,
    },
    {
      name: "liblz4 blocks that lz4 refuses",
      ratio: wrong(liblz4, own),
      ...zero,
    },
  ];
}

/** Damaged blocks after which a byte beside the page is another one. */
function mutationRow(pages: Bytes[], count: number): Row {
  const rng = makeRng(2026);
  const alg = makeLz4();
  const room = new Uint8Array(2 * PAGE_SIZE);
  const blocks = pages.filter((_, i) => i % 37 === 0)
    .map((page) => room.slice(0, alg.compress(page, room)));
  const guard = 64;
  const memory = new Uint8Array(PAGE_SIZE + 2 * guard).fill(0x5a);
  const page = memory.subarray(guard, guard + PAGE_SIZE);
  let outside = 0;
  for (let i = 0; i < count; i++) {
    alg.decompress(mutate(rng, blocks[i % blocks.length]!), page);
    let intact = true;
    for (let at = 0; at < guard; at++) {
      intact &&= memory[at] === 0x5a &&
        memory[guard + PAGE_SIZE + at] === 0x5a;
    }
    if (intact) continue;
    outside++;
    memory.fill(0x5a, 0, guard).fill(0x5a, guard + PAGE_SIZE);
  }
  const peer = `none: ${count} damaged blocks`;
  const name = "lz4 writes outside the page";
  return { name, ratio: outside, peer, goal: 0, better: "less" };
}

/** All of them; some seconds. */
export function safetyRows(damagedBlocks = 1_000_000): Row[] {
  const pages = manyPages();
  return [...exchangeRows(pages), mutationRow(pages, damagedBlocks)];
}
