/**
 * The compressor that does not compress: it copies. With it every page costs
 * its full size, which makes it the floor in a comparison and a help in tests.
 *
 * Kernel: crypto/crypto_null.c (v6.12), `compress_null`, named after it; no
 * sane zswap would use it.
 */
import { EINVAL } from "../base/errno.ts";
import type { CompAlg } from "./acomp.ts";

function copy(src: Uint8Array, dst: Uint8Array): number {
  if (src.length > dst.length) return -EINVAL;
  dst.set(src);
  return src.length;
}

/** A copy of 4 KiB by C's memcpy took 221 ns (measured, not in the kernel). */
export function makeNull(): CompAlg {
  return {
    name: "null",
    compressNanoseconds: 221,
    decompressNanoseconds: 203,
    compress: copy,
    decompress: copy,
  };
}
