/**
 * A fingerprint of text: the same in every host. FNV-1a in two lanes of 32
 * bits; good for telling runs apart, not for secrets. Ours.
 */
export interface TextHash {
  low: number;
  high: number;
  /** Texts so far. */
  count: number;
}

export function makeTextHash(): TextHash {
  return { low: 0x811c9dc5, high: 0x050c5d1f, count: 0 };
}

/** Fold one text in; its end counts, too. */
export function hashText(hash: TextHash, text: string): void {
  let { low, high } = hash;
  for (let i = 0; i <= text.length; i++) {
    // Behind the last letter comes one that is in no text.
    const letter = i < text.length ? text.charCodeAt(i) : 0x1_0000;
    low = Math.imul(low ^ letter, 0x01000193);
    high = Math.imul(high ^ letter ^ (low >>> 15), 0x01000193);
  }
  hash.low = low;
  hash.high = high;
  hash.count++;
}

/** 16 hexadecimal digits. */
export function hashDigits({ low, high }: TextHash): string {
  return [high, low]
    .map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}
