/** The two functions of the npm library lz4js 0.2.0 that lz4js.ts calls. */

/**
 * @param hashTable 65,536 words, all zero
 * @returns bytes written, counted even where `dst` had no room for them, or 0
 * if no match was found
 */
export function compressBlock(
  src: Uint8Array,
  dst: Uint8Array,
  sIndex: number,
  sLength: number,
  hashTable: Uint32Array,
): number;

/** @returns the index in `dst` behind the last byte; nothing is checked. */
export function decompressBlock(
  src: Uint8Array,
  dst: Uint8Array,
  sIndex: number,
  sLength: number,
  dIndex: number,
): number;
