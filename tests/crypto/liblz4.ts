/**
 * The reference implementation, where the machine has it: Debian's liblz4 1.9
 * through the foreign function interface. Needs `--allow-ffi`.
 *
 * Used to make the vectors and to measure; the tests themselves need neither.
 */
const file = "liblz4.so.1";

export interface LibLz4 {
  readonly version: string;
  /** @returns bytes written, 0 if the block does not fit `dst` */
  compress(src: Uint8Array<ArrayBuffer>, dst: Uint8Array<ArrayBuffer>): number;
  /** As compress(), but by the slow search (level 12) of lz4hc. */
  compressHard(
    src: Uint8Array<ArrayBuffer>,
    dst: Uint8Array<ArrayBuffer>,
  ): number;
  /** @returns bytes written, negative if it refuses the block */
  decompress(
    src: Uint8Array<ArrayBuffer>,
    dst: Uint8Array<ArrayBuffer>,
  ): number;
}

/** null where there is no liblz4, or no permission to load it. */
export function openLibLz4(): LibLz4 | null {
  let library;
  try {
    library = Deno.dlopen(file, {
      LZ4_versionNumber: { parameters: [], result: "i32" },
      LZ4_compress_default: {
        parameters: ["buffer", "buffer", "i32", "i32"],
        result: "i32",
      },
      LZ4_compress_HC: {
        parameters: ["buffer", "buffer", "i32", "i32", "i32"],
        result: "i32",
      },
      LZ4_decompress_safe: {
        parameters: ["buffer", "buffer", "i32", "i32"],
        result: "i32",
      },
    });
  } catch {
    return null;
  }
  const c = library.symbols;
  const version = c.LZ4_versionNumber();
  const parts = [version / 10_000, (version / 100) % 100, version % 100];
  return {
    version: parts.map(Math.trunc).join("."),
    compress: (src, dst) =>
      c.LZ4_compress_default(src, dst, src.length, dst.length),
    compressHard: (src, dst) =>
      c.LZ4_compress_HC(src, dst, src.length, dst.length, 12),
    decompress: (src, dst) =>
      c.LZ4_decompress_safe(src, dst, src.length, dst.length),
  };
}
