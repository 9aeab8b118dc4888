/**
 * The pages of the recordings made with real kernels: what the program inside
 * the guest wrote into its memory, byte for byte.
 *
 * 32-bit arithmetic only, so that C in the guest and TypeScript here agree.
 * A page follows from four things: its kind, the region's seed, its index and
 * how often it was written (the version, from 1 on). Ours.
 */
const PAGE_SIZE = 4096;

export const kernelPageKinds = [
  "zero",
  "same",
  "text",
  "heap",
  "half",
  "threeq",
  "sparse",
  "rand",
  "frac",
] as const;
export type KernelPageKind = (typeof kernelPageKinds)[number];

/** The finaliser of MurmurHash3. */
function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Xorshift: each call gives the next 32 random bits. */
export function kernelRandom(
  seed: number,
  page: number,
  version: number,
): () => number {
  let state = mix32(seed + 0x9e3779b9);
  state = mix32(state ^ (page + 0x7f4a7c15));
  state = mix32(state ^ (Math.imul(version, 0x27d4eb2f) + 0x165667b1));
  if (state === 0) state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function sharesOf(mix: string): ReadonlyMap<string, number> {
  const parts = mix.split(",").map((part): [string, number] => {
    const [kind, percent] = part.split(":");
    return [kind!, Number(percent ?? 100)];
  });
  return new Map(parts);
}

/**
 * The kind of page `page` in a region of a recording.
 *
 * @param mix percentages by kind, as a workload file has them: `zero:10,text:40`
 */
export function kernelPageKind(
  seed: number,
  page: number,
  mix: string,
): KernelPageKind {
  const share = sharesOf(mix);
  const mixed = mix32(seed ^ 0x51ed270b) ^ Math.imul(page, 0x9e3779b1);
  const draw = mix32(mixed) % 100;
  let sum = 0;
  for (const kind of kernelPageKinds) {
    sum += share.get(kind) ?? 0;
    if (draw < sum) return kind;
  }
  return "rand";
}

/** Write all of one page. */
export function fillKernelPage(
  into: Uint8Array,
  kind: KernelPageKind,
  seed: number,
  page: number,
  version: number,
): void {
  const next = kernelRandom(seed, page, version);
  const view = new DataView(into.buffer, into.byteOffset, PAGE_SIZE);
  into.fill(0);
  switch (kind) {
    case "zero":
      return;
    case "same":
      return fillSame(view, next);
    case "rand":
      return fillRandom(view, next, PAGE_SIZE);
    case "half":
      return fillRandom(view, next, 2048);
    case "threeq":
      return fillRandom(view, next, 3072);
    case "frac":
      return fillRandom(view, next, (next() % 1025) * 4);
    case "sparse":
      return fillSparse(view, next);
    case "heap":
      return fillHeap(view, next);
    case "text":
      return fillText(into, next);
  }
}

/** One 64-bit word, again and again. */
function fillSame(view: DataView, next: () => number): void {
  const low = next();
  const high = next();
  for (let at = 0; at < PAGE_SIZE; at += 8) {
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  }
}

function fillRandom(view: DataView, next: () => number, size: number): void {
  for (let at = 0; at < size; at += 4) view.setUint32(at, next(), true);
}

/** 32 random words at random places. */
function fillSparse(view: DataView, next: () => number): void {
  for (let i = 0; i < 32; i++) {
    const at = (next() % 1024) * 4;
    view.setUint32(at, next(), true);
  }
}

/** 64 records of 64 bytes: pointers, serial numbers, hashes, lengths. */
function fillHeap(view: DataView, next: () => number): void {
  const arena = 0x40000000 + ((next() & 0xffff) << 12);
  const serial = next() & 0xfff;
  for (let i = 0; i < 64; i++) {
    const at = i * 64;
    const other = next();
    view.setUint32(at, arena + (other % 64) * 64, true);
    view.setUint32(at + 4, 0x7f3a, true);
    view.setUint32(at + 8, serial + i, true);
    view.setUint32(at + 12, other >>> 30, true);
    view.setUint32(at + 16, next(), true);
    view.setUint32(at + 20, next() & 0xffff, true);
    view.setUint32(at + 24, 0x12345678, true);
    view.setUint32(at + 32, arena + i * 64, true);
    view.setUint32(at + 36, 0x7f3a, true);
  }
}

const words = `the page swap of and kernel memory to a in is that for pool entry
with cache on as by frame fault this are be compressed or from disk an slot
which reclaim it store at load when writeback not device tree zone bytes lock
if limit buffer process anonymous table cluster address mapping count size
shrink accept threshold percent list active inactive evict`.split(/\s+/);

/** Words; one time in four an earlier phrase again. */
function fillText(into: Uint8Array, next: () => number): void {
  let at = 0;
  while (at < PAGE_SIZE) {
    const draw = next();
    if (at > 256 && (draw & 3) === 0) {
      let length = 12 + ((draw >>> 8) & 31);
      let from = next() % (at - length);
      while (length-- > 0 && at < PAGE_SIZE) into[at++] = into[from++]!;
      continue;
    }
    const word = words[(draw >>> 8) & 63 & ((draw >>> 16) | 15)]!;
    for (let i = 0; i < word.length && at < PAGE_SIZE; i++) {
      into[at++] = word.charCodeAt(i);
    }
    if (at < PAGE_SIZE) into[at++] = 0x20;
  }
}
