/**
 * The compressors, and how zswap and zram find one by name.
 *
 * A caller allocates its own instance, gives it one page at a time and keeps
 * the bytes that come back:
 *
 *   const alg = crypto_alloc_acomp("lz4");
 *   const size = alg.compress(page, room);    // or -EINVAL: does not fit
 *   alg.decompress(room.subarray(0, size), page);
 *
 * An instance owns its tables, so two simulated CPUs never share one. What it
 * writes depends on the page alone, never on the pages before.
 *
 * Kernel: crypto/acompress.c, crypto/scompress.c (v6.12).
 * Differs: synchronous, plain byte arrays instead of requests and
 * scatterlists; what is not built in does not exist. No zstd and no lzo: no
 * library runs them synchronously in every host, is small and fits our licence.
 */
import { makeDeflate } from "./deflate.ts";
import { makeLz4 } from "./lz4.ts";
import { makeLz4js } from "./lz4js.ts";
import { makeNull } from "./null.ts";

/** One compressor; each has a file of its own. */
export interface CompAlg {
  /** The name in `zswap.compressor` and `comp_algorithm`. */
  readonly name: string;
  /**
   * What one 4 KiB page costs on the simulated clock. A model figure, measured
   * once on one machine; each file says how. The host's own speed never
   * reaches the simulation.
   */
  readonly compressNanoseconds: number;
  readonly decompressNanoseconds: number;
  /**
   * @param src one page
   * @param dst room for the result; what lies behind the result is undefined
   * @returns bytes written, or -EINVAL if the result does not fit `dst`
   */
  compress(src: Uint8Array, dst: Uint8Array): number;
  /**
   * @param src one block, exactly: no byte more, none less
   * @param dst room for the page; nothing outside it is written
   * @returns bytes written, or -EINVAL if the block is malformed or its
   * content does not fit `dst`, which then holds part of it
   */
  decompress(src: Uint8Array, dst: Uint8Array): number;
}

const makers: ReadonlyMap<string, () => CompAlg> = new Map([
  ["lz4", makeLz4],
  ["lz4js", makeLz4js],
  ["deflate", makeDeflate],
  ["null", makeNull],
]);

/** What crypto_alloc_acomp() knows, the default first. */
export const compressorNames: readonly string[] = [...makers.keys()];

/** Does a compressor of this name exist? */
export function crypto_has_acomp(name: string): boolean {
  return makers.has(name);
}

/**
 * crypto_alloc_acomp() - a fresh compressor with tables of its own.
 *
 * @throws RangeError for an unknown name, and says which exist
 *
 * Kernel: crypto/acompress.c (v6.12), which gives ERR_PTR(-ENOENT) instead.
 */
export function crypto_alloc_acomp(name: string): CompAlg {
  const make = makers.get(name);
  if (make !== undefined) return make();
  throw new RangeError(
    `compressor: wanted one of ${compressorNames.join(", ")}, got ${name}`,
  );
}
