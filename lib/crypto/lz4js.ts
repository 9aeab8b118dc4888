/**
 * Ours: LZ4 by the npm library lz4js 0.2.0, the peer that lz4.ts is compared
 * with, and a subject of its own, for it sets four traps.
 *
 *  1. It does not clear the caller's hash table, and it believes what it finds
 *     there. An entry left by the page before can name the very position that
 *     is being searched: the block then says "copy from 0 bytes back", which
 *     no decoder can do. We clear the table for each page.
 *  2. It lets a match begin within the last 12 bytes. The format forbids that,
 *     because fast decoders rely on it; liblz4 refuses such blocks. lz4.ts
 *     decodes them.
 *  3. It answers 0 for "found no match" and counts on when `dst` is full. Both
 *     become -EINVAL here.
 *  4. Its decoder checks nothing: a damaged block gives wrong bytes, and only
 *     a wrong length betrays it. (A typed array ignores writes outside, so
 *     memory is safe.) Use lz4.ts for blocks that are not trusted.
 *
 * Not in Linux.
 */
import { EINVAL } from "../base/errno.ts";
import type { CompAlg } from "./acomp.ts";
// @ts-types="./lz4js_library.d.ts"
import { compressBlock, decompressBlock } from "lz4js";

/** The library hashes to 16 bits. */
const TABLE_ENTRIES = 1 << 16;

/** Its costs are those of the library itself, in JavaScript (measured). */
export function makeLz4js(): CompAlg {
  const table = new Uint32Array(TABLE_ENTRIES);
  return {
    name: "lz4js",
    compressNanoseconds: 12_810,
    decompressNanoseconds: 5_476,
    compress(src, dst) {
      table.fill(0);
      const size = compressBlock(src, dst, 0, src.length, table);
      return size === 0 || size > dst.length ? -EINVAL : size;
    },
    decompress(src, dst) {
      if (src.length === 0) return -EINVAL;
      const size = decompressBlock(src, dst, 0, src.length, 0);
      return size > dst.length ? -EINVAL : size;
    },
  };
}
