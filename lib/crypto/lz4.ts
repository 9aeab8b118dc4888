/**
 * LZ4 for pages: the format, and a compressor that finds what Linux finds.
 *
 * A block is a row of *sequences*. Each says: copy these bytes from here (the
 * literals), then copy that many bytes from what you have already written (the
 * match).
 *
 *   token     1 byte    high half: literals; low half: match length - 4
 *   [length]  0 or more if a half is 15: add bytes until one is not 255
 *   literals            the bytes themselves
 *   offset    2 bytes   how far back the match begins, low byte first, not 0
 *   [length]            the same for the match
 *
 * The last sequence stops after its literals. Two rules at the end let a fast
 * decoder copy 8 bytes at a time without looking: the last 5 bytes of a page
 * are literals, and no match begins within its last 12.
 *
 * A match may overlap what it writes: "1 back, 4,000 bytes" is a run of one
 * byte. That is why a page of zeros needs only 26 bytes.
 *
 * Compressing is finding matches. One table remembers, for a hash of four
 * bytes, where they were last seen. There is no chain and no second look; what
 * the table says is checked, so it may be wrong, but never harmful.
 *
 * Kernel: lib/lz4/lz4_compress.c, crypto/lz4.c (v6.12).
 * Differs: one page in one call, no dictionaries, no acceleration. Sizes are
 * those of the kernel, byte for byte; see `kernelTail`.
 */
import { EINVAL } from "../base/errno.ts";
import type { CompAlg } from "./acomp.ts";
import {
  lookAt,
  lz4Decompress,
  type Lz4Views,
  makeLz4Views,
} from "./lz4_decode.ts";

/** The shortest match: shorter ones would cost more than they save. */
const MINMATCH = 4;
/** The end of a page that is always literals. */
const LASTLITERALS = 5;
/** No match begins nearer to the end than this. */
const MFLIMIT = 12;
/** A half of a token that says: bytes follow, add them. */
const LENGTH_FOLLOWS = 15;

/** 13 bits of hash, two bytes an entry: 16 KiB, as in the kernel. */
const HASH_BITS = 13;
/** After 2⁶ misses in a row the search goes on by 2 bytes, then by 3 … */
const SKIP_TRIGGER = 6;
/** Positions must fit an entry of the table, and an offset its two bytes. */
const MAX_INPUT = 0xffff;

/** What one instance owns: nothing is allocated for a page. */
interface Lz4State extends Lz4Views {
  /** Hash of four bytes → where in the page they were last seen, at first 0. */
  readonly table: Uint16Array;
  /** The search ends this many bytes before the end of the page. */
  readonly searchMargin: number;
  /** Ends of the page and of the room, as positions in their buffers. */
  srcEnd: number;
  outEnd: number;
}

/** Copy 8 bytes at once, wherever they lie. No BigInt is ever made of them. */
const copy8 = (
  to: DataView,
  at: number,
  from: DataView,
  source: number,
): void => {
  to.setBigInt64(at, from.getBigInt64(source, true), true);
};

/** Knuth's multiplicative hash of four bytes. Kernel: LZ4_hash4(). */
function hash4(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/** How many bytes are equal at `here` and `there`, with `here` below `limit`. */
function countEqual(
  view: DataView,
  here: number,
  there: number,
  limit: number,
): number {
  const start = here;
  while (here < limit - 3) {
    const difference = view.getInt32(here, true) ^ view.getInt32(there, true);
    if (difference !== 0) {
      // The lowest bit that differs lies in the first byte that differs.
      const bit = 31 - Math.clz32(difference & -difference);
      return here - start + (bit >> 3);
    }
    here += 4;
    there += 4;
  }
  while (here < limit && view.getUint8(here) === view.getUint8(there)) {
    here++;
    there++;
  }
  return here - start;
}

/** How many bytes follow a token for this length. */
function lengthBytes(length: number): number {
  if (length < LENGTH_FOLLOWS) return 0;
  return (((length - LENGTH_FOLLOWS) / 255) | 0) + 1;
}

/** Write those bytes. @returns where the next byte goes */
function writeLength(view: DataView, out: number, length: number): number {
  let rest = length - LENGTH_FOLLOWS;
  for (; rest >= 255; rest -= 255) view.setUint8(out++, 255);
  view.setUint8(out++, rest);
  return out;
}

/**
 * Token and literals of one sequence: the bytes `from` up to `to`.
 *
 * @returns where the next byte goes, or -EINVAL for lack of room
 */
function writeLiterals(
  { srcView, dstView, srcEnd, outEnd }: Lz4State,
  out: number,
  from: number,
  to: number,
): number {
  const length = to - from;
  const last = out + 1 + lengthBytes(length) + length;
  if (last > outEnd) return -EINVAL;

  if (length < LENGTH_FOLLOWS) {
    dstView.setUint8(out++, length << 4);
  } else {
    dstView.setUint8(out++, LENGTH_FOLLOWS << 4);
    out = writeLength(dstView, out, length);
  }

  // By words, if both sides have room for what the last word has too much.
  if (to + 8 <= srcEnd && last + 8 <= outEnd) {
    for (; out < last; out += 8, from += 8) copy8(dstView, out, srcView, from);
  } else {
    while (out < last) dstView.setUint8(out++, srcView.getUint8(from++));
  }
  return last;
}

/**
 * Make one block of the page between the state's `srcEnd` and `start`.
 *
 * Positions are positions in the buffers, not in the page. `| 0` tells the
 * compiler that they are 32-bit integers: without it, it keeps some of them in
 * a slower form (4 % more time, measured). This is one long function because
 * it took a third more time in parts (measured); its comments are the parts.
 *
 * @returns the end of the block, or -EINVAL for lack of room
 */
function compressPage(state: Lz4State, start: number, out: number): number {
  const { table, srcView, dstView } = state;
  const srcEnd = state.srcEnd | 0;
  const outEnd = state.outEnd | 0;
  const searchEnd = (srcEnd - state.searchMargin) | 0;
  const matchEnd = (srcEnd - LASTLITERALS) | 0;
  const lastStart = (srcEnd - MFLIMIT) | 0;
  let anchor = start | 0; // The first byte that no sequence holds yet.
  let here = (start + 1) | 0;

  search: while (here <= lastStart) {
    // Search: look each position up and leave it in the table, until its four
    // bytes are found again. The longer that takes, the longer the steps.
    let match = 0;
    let word = srcView.getInt32(here, true);
    let next = (here + 1) | 0;
    let tries = 1 << SKIP_TRIGGER;
    while (next <= searchEnd) {
      const hash = hash4(word);
      match = (start + table[hash]!) | 0;
      table[hash] = here - start;
      if (srcView.getInt32(match, true) === word) break;
      here = next;
      word = srcView.getInt32(here, true);
      next = (here + (tries >> SKIP_TRIGGER)) | 0;
      tries = (tries + 1) | 0;
    }
    if (next > searchEnd) break;

    // Catch up: the match may begin before the position that was tried.
    while (
      here > anchor && match > start &&
      srcView.getUint8(here - 1) === srcView.getUint8(match - 1)
    ) {
      here = (here - 1) | 0;
      match = (match - 1) | 0;
    }

    // Write what lies between the last match and this one. Few bytes, far from
    // both ends, are the usual case: two words, part of them overwritten next.
    let token = out;
    const literals = (here - anchor) | 0;
    if (
      literals < LENGTH_FOLLOWS && ((here + 16) | 0) <= srcEnd &&
      ((out + 17) | 0) <= outEnd
    ) {
      dstView.setUint8(out, literals << 4);
      copy8(dstView, out + 1, srcView, anchor);
      if (literals > 8) copy8(dstView, out + 9, srcView, anchor + 8);
      out = (out + 1 + literals) | 0;
    } else {
      out = writeLiterals(state, out, anchor, here) | 0;
      if (out < 0) return out;
    }

    let found = true;
    while (found) {
      // Write the match: offset, and length as far as the bytes are equal.
      if (out + 2 > outEnd) return -EINVAL;
      dstView.setUint16(out, here - match, true);
      out = (out + 2) | 0;
      here = (here + MINMATCH) | 0;
      const more = countEqual(srcView, here, match + MINMATCH, matchEnd) | 0;
      if (more < LENGTH_FOLLOWS) {
        dstView.setUint8(token, dstView.getUint8(token) | more);
      } else {
        if (out + lengthBytes(more) > outEnd) return -EINVAL;
        dstView.setUint8(token, dstView.getUint8(token) | LENGTH_FOLLOWS);
        out = writeLength(dstView, out, more) | 0;
      }
      anchor = here = (here + more) | 0;
      if (here > lastStart) break search;

      // Remember a position within the match. Then look right behind it: a
      // match that begins here needs no literals.
      table[hash4(srcView.getInt32(here - 2, true))] = here - 2 - start;
      const wordHere = srcView.getInt32(here, true);
      const hashHere = hash4(wordHere);
      match = (start + table[hashHere]!) | 0;
      table[hashHere] = here - start;
      found = srcView.getInt32(match, true) === wordHere;
      if (found) {
        if (out >= outEnd) return -EINVAL;
        token = out;
        dstView.setUint8(out, 0);
        out = (out + 1) | 0;
      }
    }
    here = (here + 1) | 0;
  }
  return writeLiterals(state, out, anchor, srcEnd);
}

/**
 * Compress `src` as one block.
 *
 * @returns bytes written, or -EINVAL if the block does not fit `dst`
 *
 * Kernel: LZ4_compress_default(), lib/lz4/lz4_compress.c (v6.12), whose 0 for
 * "does not fit" becomes -EINVAL in crypto/lz4.c.
 */
function lz4Compress(state: Lz4State, src: Uint8Array, dst: Uint8Array) {
  if (src.length > MAX_INPUT) {
    throw new RangeError(
      `lz4: wanted at most ${MAX_INPUT} bytes, got ${src.length}`,
    );
  }
  const start = src.byteOffset | 0;
  const out = dst.byteOffset | 0;
  lookAt(state, src, dst);
  state.srcEnd = (start + src.length) | 0;
  state.outEnd = (out + dst.length) | 0;

  // Nothing of the page before may remain: the table knows only that four
  // bytes may be those at position 0.
  state.table.fill(0);
  const end = compressPage(state, start, out);
  return end < 0 ? end : end - out;
}

/** Where makeLz4() may differ from the kernel. */
export interface Lz4Options {
  /**
   * The kernel's copy of LZ4 dates from 2017 and ends its search one position
   * earlier than liblz4 does today. One page in some 180 compresses to another
   * size by it. true: as the kernel. false: as liblz4 1.9.
   */
  readonly kernelTail: boolean;
}

/** The default compressor. Its costs are liblz4's in C (measured). */
export function makeLz4(
  { kernelTail }: Lz4Options = { kernelTail: true },
): CompAlg {
  const state: Lz4State = {
    ...makeLz4Views(),
    table: new Uint16Array(1 << HASH_BITS),
    searchMargin: kernelTail ? MFLIMIT : MFLIMIT - 1,
    srcEnd: 0,
    outEnd: 0,
  };
  return {
    name: "lz4",
    compressNanoseconds: 4_548,
    decompressNanoseconds: 1_231,
    compress: (src, dst) => lz4Compress(state, src, dst),
    decompress: (src, dst) => lz4Decompress(state, src, dst),
  };
}
