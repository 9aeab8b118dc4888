/**
 * The decoder of LZ4 blocks: checked, so that no block, however damaged, makes
 * it read or write outside what it was given. lz4.ts tells the format.
 *
 * Kernel: lib/lz4/lz4_decompress.c (v6.12), LZ4_decompress_safe().
 * Differs: takes blocks that break the two rules at the end of a page, as the
 * library lz4js makes them; refuses offset 0, which the kernel does not test.
 */
import { EINVAL } from "../base/errno.ts";

const MINMATCH = 4;

/** Views of the buffers used last: nothing is allocated for a page. */
export interface Lz4Views {
  srcBuffer: ArrayBufferLike;
  dstBuffer: ArrayBufferLike;
  srcView: DataView;
  dstView: DataView;
}

export function makeLz4Views(): Lz4Views {
  const buffer = new ArrayBuffer(0);
  const view = new DataView(buffer);
  return { srcBuffer: buffer, dstBuffer: buffer, srcView: view, dstView: view };
}

/** Look at the buffers of `src` and `dst`; as a rule they are the last ones. */
export function lookAt(
  views: Lz4Views,
  src: Uint8Array,
  dst: Uint8Array,
): void {
  const from = src.buffer;
  const to = dst.buffer;
  if (from !== views.srcBuffer) {
    views.srcBuffer = from;
    views.srcView = new DataView(from);
  }
  if (to !== views.dstBuffer) {
    views.dstBuffer = to;
    views.dstView = new DataView(to);
  }
}

/**
 * Copy 8 bytes at once, wherever they lie. No BigInt is ever made of them.
 * (lz4.ts has its own: an imported function is looked up at each call.)
 */
const copy8 = (
  to: DataView,
  at: number,
  from: DataView,
  source: number,
): void => {
  to.setBigInt64(at, from.getBigInt64(source, true), true);
};

/**
 * Copy a match: `length` bytes that may overlap what they write.
 *
 * Word by word that is right only if the bytes come from at least one word
 * back. A shorter pattern repeats; so, once 8 bytes of it stand there, we go
 * back by several patterns instead of one. Words may write up to 15 bytes too
 * many, which the next sequence overwrites; near `limit` it is bytes again.
 */
function copyMatch(
  view: DataView,
  at: number,
  offset: number,
  length: number,
  limit: number,
): void {
  const end = (at + length) | 0;
  const safe = (limit - 16) | 0;
  let from = (at - offset) | 0;
  if (offset < 8) {
    const begin = Math.min(at + 8, end);
    while (at < begin) view.setUint8(at++, view.getUint8(from++));
    from = (at - offset * (((7 / offset) | 0) + 1)) | 0;
  }
  while (at < end && at <= safe) {
    copy8(view, at, view, from);
    copy8(view, at + 8, view, from + 8);
    at = (at + 16) | 0;
    from = (from + 16) | 0;
  }
  while (at < end) view.setUint8(at++, view.getUint8(from++));
}

/**
 * Decompress one block. One long function for speed, as its counterpart.
 *
 * Positions are positions in the buffers; `| 0` tells the compiler that they
 * are 32-bit integers.
 *
 * @returns bytes written, or -EINVAL if the block is malformed or its content
 * does not fit `dst`
 */
export function lz4Decompress(
  views: Lz4Views,
  src: Uint8Array,
  dst: Uint8Array,
): number {
  lookAt(views, src, dst);
  const { srcView, dstView } = views;
  let from = src.byteOffset | 0;
  let out = dst.byteOffset | 0;
  const start = out;
  const srcEnd = (from + src.length) | 0;
  const dstEnd = (out + dst.length) | 0;
  // Up to here there is room for 16 literals and an offset, and for a short
  // match behind 14 literals, whatever the token says.
  const srcSafe = (srcEnd - 18) | 0;
  const outSafe = (dstEnd - 32) | 0;

  while (from < srcEnd) {
    const token = srcView.getUint8(from);
    from = (from + 1) | 0;
    let literals = token >> 4;
    let length = token & 15;
    let offset = 0;

    if (literals < 15 && from <= srcSafe && out <= outSafe) {
      // Few literals, far from both ends: two words, whatever lies behind
      // them. To ask how many are needed costs more than to copy them.
      copy8(dstView, out, srcView, from);
      copy8(dstView, out + 8, srcView, from + 8);
      from = (from + literals) | 0;
      out = (out + literals) | 0;
      offset = srcView.getUint16(from, true);
      from = (from + 2) | 0;

      // Most matches are short, too: up to 18 bytes.
      const match = (out - offset) | 0;
      if (length < 15 && offset >= 8 && match >= start) {
        copy8(dstView, out, dstView, match);
        copy8(dstView, out + 8, dstView, match + 8);
        if (length > 12) {
          dstView.setInt16(out + 16, dstView.getInt16(match + 16, true), true);
        }
        out = (out + length + MINMATCH) | 0;
        continue;
      }
    } else {
      // How many literals?
      if (literals === 15) {
        let more = 255;
        while (more === 255) {
          if (from >= srcEnd) return -EINVAL;
          more = srcView.getUint8(from++);
          literals += more;
        }
      }

      // Copy them, by words if both sides have room for the last excess.
      const end = (from + literals) | 0;
      if (end > srcEnd || out + literals > dstEnd) return -EINVAL;
      let to = out;
      if (end + 16 <= srcEnd && out + literals + 16 <= dstEnd) {
        while (from < end) {
          copy8(dstView, to, srcView, from);
          copy8(dstView, to + 8, srcView, from + 8);
          from = (from + 16) | 0;
          to = (to + 16) | 0;
        }
      } else {
        while (from < end) dstView.setUint8(to++, srcView.getUint8(from++));
      }
      from = end;
      out = (out + literals) | 0;

      // The last sequence has no match.
      if (from === srcEnd) return out - start;
      if (from + 2 > srcEnd) return -EINVAL;
      offset = srcView.getUint16(from, true);
      from = (from + 2) | 0;
    }

    // Where does the match begin? Not before the page, not here.
    if (offset === 0 || offset > out - start) return -EINVAL;

    // How long is it?
    if (length === 15) {
      let more = 255;
      while (more === 255) {
        if (from >= srcEnd) return -EINVAL;
        more = srcView.getUint8(from++);
        length += more;
      }
    }
    length = (length + MINMATCH) | 0;
    if (out + length > dstEnd) return -EINVAL;
    copyMatch(dstView, out, offset, length, dstEnd);
    out = (out + length) | 0;
  }
  return -EINVAL;
}
