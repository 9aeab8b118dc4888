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
  srcView: DataView;
  dstView: DataView;
}

/** `view`, or a new view of `bytes`' buffer if it was another one. */
export function viewOf(bytes: Uint8Array, view: DataView): DataView {
  return bytes.buffer === view.buffer ? view : new DataView(bytes.buffer);
}

/** Copy 8 bytes at once, wherever they lie. No BigInt is ever made of them. */
export function copy8(
  to: DataView,
  at: number,
  from: DataView,
  source: number,
): void {
  to.setBigInt64(at, from.getBigInt64(source, true), true);
}

/**
 * Copy a match: `length` bytes that may overlap what they write.
 *
 * Word by word that is right only if the match begins at least one word back,
 * and if there is room below `limit` for what the last word writes too much.
 */
function copyMatch(
  view: DataView,
  at: number,
  offset: number,
  length: number,
  limit: number,
): void {
  const end = at + length;
  if (offset >= 8 && end + 8 <= limit) {
    for (; at < end; at += 8) copy8(view, at, view, at - offset);
    return;
  }
  for (; at < end; at++) view.setUint8(at, view.getUint8(at - offset));
}

/**
 * Decompress one block. One long function for speed, as its counterpart.
 *
 * @returns bytes written, or -EINVAL if the block is malformed or its content
 * does not fit `dst`
 */
export function lz4Decompress(
  views: Lz4Views,
  src: Uint8Array,
  dst: Uint8Array,
): number {
  const srcView = views.srcView = viewOf(src, views.srcView);
  const dstView = views.dstView = viewOf(dst, views.dstView);
  // From here on positions are positions in the buffers, 32-bit integers.
  let from = src.byteOffset | 0;
  let out = dst.byteOffset | 0;
  const start = out;
  const srcEnd = (from + src.length) | 0;
  const dstEnd = (out + dst.length) | 0;

  while (from < srcEnd) {
    const token = srcView.getUint8(from++);
    let literals = token >> 4;
    let length = token & 15;

    // Most sequences have few literals. Far from both ends they are one or two
    // words, whatever lies behind them; the match overwrites the excess.
    if (literals < 15 && from + 16 < srcEnd && out + 16 <= dstEnd) {
      copy8(dstView, out, srcView, from);
      if (literals > 8) copy8(dstView, out + 8, srcView, from + 8);
      from += literals;
      out += literals;
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
      const end = from + literals;
      if (end > srcEnd || out + literals > dstEnd) return -EINVAL;
      let to = out;
      if (end + 8 <= srcEnd && out + literals + 8 <= dstEnd) {
        for (; from < end; from += 8, to += 8) {
          copy8(dstView, to, srcView, from);
        }
      } else {
        while (from < end) dstView.setUint8(to++, srcView.getUint8(from++));
      }
      from = end;
      out += literals;

      // The last sequence has no match.
      if (from === srcEnd) return out - start;
      if (from + 2 > srcEnd) return -EINVAL;
    }

    // Where does the match begin? Not before the page, not here.
    const offset = srcView.getUint16(from, true);
    from += 2;
    if (offset === 0 || offset > out - start) return -EINVAL;

    // Most matches are short, too: up to 18 bytes are three words at most.
    if (length < 15 && offset >= 8 && out + 24 <= dstEnd) {
      copy8(dstView, out, dstView, out - offset);
      if (length > 4) copy8(dstView, out + 8, dstView, out - offset + 8);
      if (length > 12) copy8(dstView, out + 16, dstView, out - offset + 16);
      out += length + MINMATCH;
      continue;
    }

    // How long is it?
    if (length === 15) {
      let more = 255;
      while (more === 255) {
        if (from >= srcEnd) return -EINVAL;
        more = srcView.getUint8(from++);
        length += more;
      }
    }
    length += MINMATCH;
    if (out + length > dstEnd) return -EINVAL;
    copyMatch(dstView, out, offset, length, dstEnd);
    out += length;
  }
  return -EINVAL;
}
