/**
 * Deflate, without zlib's or gzip's wrapping, by the npm library fflate: the
 * slow compressor with the good ratio, for cold memory.
 *
 * Kernel: crypto/deflate.c (v6.12), `deflate`.
 * Differs: level 1 where the kernel asks zlib for its default (6), and another
 * implementation of the same format, so sizes are near, not equal.
 * Allocates for each page.
 */
import { EINVAL } from "../base/errno.ts";
import type { CompAlg } from "./acomp.ts";
import { deflateSync, inflateSync } from "fflate";

/**
 * Costs: zlib in C at level 1 took 13.2 and 7.7 times what liblz4 took for the
 * sampled pages (measured); these are lz4.ts's costs by those factors.
 */
export function makeDeflate(): CompAlg {
  return {
    name: "deflate",
    compressNanoseconds: 60_000,
    decompressNanoseconds: 9_450,
    compress(src, dst) {
      const block = deflateSync(src, { level: 1 });
      if (block.length > dst.length) return -EINVAL;
      dst.set(block);
      return block.length;
    },
    decompress(src, dst) {
      return inflate(src, dst);
    },
  };
}

/** One byte more than wanted: fflate drops silently what does not fit. */
function inflate(src: Uint8Array, dst: Uint8Array): number {
  let page: Uint8Array;
  try {
    page = inflateSync(src, { out: new Uint8Array(dst.length + 1) });
  } catch {
    return -EINVAL;
  }
  if (page.length > dst.length) return -EINVAL;
  dst.set(page);
  return page.length;
}
