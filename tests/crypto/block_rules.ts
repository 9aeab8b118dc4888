/**
 * Read an LZ4 block sequence by sequence, without its page: what a strict
 * decoder such as liblz4 demands of it. Written from the format's description,
 * not from our decoder.
 */
export interface Sequence {
  readonly literals: number;
  /** 0 in the last sequence, which has no match. */
  readonly offset: number;
  readonly length: number;
}

export function sequencesOf(block: Uint8Array): Sequence[] {
  const sequences: Sequence[] = [];
  let at = 0;
  const lengthFrom = (half: number): number => {
    if (half < 15) return half;
    let sum = 15;
    let byte: number;
    do {
      byte = block[at++]!;
      sum += byte;
    } while (byte === 255);
    return sum;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = lengthFrom(token >> 4);
    at += literals;
    if (at >= block.length) {
      sequences.push({ literals, offset: 0, length: 0 });
      break;
    }
    const offset = block[at]! + 256 * block[at + 1]!;
    at += 2;
    sequences.push({ literals, offset, length: lengthFrom(token & 15) + 4 });
  }
  return sequences;
}

/** The rules that the block breaks, in words; none if liblz4 will take it. */
export function brokenRules(block: Uint8Array, pageSize: number): string[] {
  const broken: string[] = [];
  const sequences = sequencesOf(block);
  let at = 0;
  sequences.forEach(({ literals, offset, length }, i) => {
    at += literals;
    const last = i === sequences.length - 1;
    if (last !== (offset === 0)) broken.push("only the last has no match");
    if (last && i > 0 && literals < 5) broken.push("last 5 bytes literal");
    if (!last && offset > at) broken.push("offset within the page");
    if (!last && at > pageSize - 12) broken.push("no match in the last 12");
    at += length;
  });
  if (at !== pageSize) broken.push(`${pageSize} bytes, not ${at}`);
  return broken;
}
