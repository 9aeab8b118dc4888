/**
 * Make liblz4.json, the reference blocks that lz4_test.ts is held to.
 *
 *     deno run --allow-read --allow-write --allow-ffi tests/crypto/vectors/make.ts
 *
 * Needs Debian's liblz4.so.1; the tests need only the file made here.
 */
import { createHash } from "node:crypto";
import { openLibLz4 } from "../liblz4.ts";
import { vectorPages } from "../pages.ts";

/** Every twelfth page also travels as a block of lz4hc, to be decoded. */
const HARD_EVERY = 12;

export interface Vectors {
  readonly liblz4: string;
  /** Size of each page's block by LZ4_compress_default(). */
  readonly sizes: number[];
  /** First 8 bytes of the block's SHA-256, in hexadecimal. */
  readonly hashes: string[];
  /** Blocks of LZ4_compress_HC() at level 12, base64, by page. */
  readonly hard: { readonly page: number; readonly block: string }[];
}

/** How a block is told from another in the file. */
export function blockHash(block: Uint8Array): string {
  return createHash("sha256").update(block).digest("hex").slice(0, 16);
}

function makeVectors(): Vectors {
  const liblz4 = openLibLz4();
  if (liblz4 === null) throw new Error("Cannot make vectors: no liblz4.so.1.");
  const vectors: Vectors = {
    liblz4: liblz4.version,
    sizes: [],
    hashes: [],
    hard: [],
  };
  const room = new Uint8Array(8192);
  vectorPages().forEach(({ bytes }, page) => {
    const size = liblz4.compress(bytes, room);
    vectors.sizes.push(size);
    vectors.hashes.push(blockHash(room.subarray(0, size)));
    if (page % HARD_EVERY !== 0) return;
    const block = room.subarray(0, liblz4.compressHard(bytes, room));
    vectors.hard.push({ page, block: block.toBase64() });
  });
  return vectors;
}

if (import.meta.main) {
  const file = new URL("liblz4.json", import.meta.url);
  Deno.writeTextFileSync(file, JSON.stringify(makeVectors()) + "\n");
}
