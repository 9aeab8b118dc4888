/**
 * What the pages of a process should read as, by what was written to them.
 *
 * It knows nothing of the engine. After MADV_FREE a page may read as it was or
 * as zeros, so all contents that are possible are kept; a read must show one of
 * them. Ours.
 */
const pageSize = 4096;

/** What a page may read as: one content, or several. */
interface KnownPage {
  /** Never changed once they are here: children share them. */
  readonly possible: readonly Uint8Array[];
  /** It may become zeros at any time. */
  readonly lazy: boolean;
  /** The number of its last write: whoever has the same may share a frame. */
  readonly written: number;
}

/** By number of page; none means zeros. */
export type Oracle = Map<number, KnownPage>;

const zeros: Uint8Array = new Uint8Array(pageSize);
const untouched: KnownPage = { possible: [zeros], lazy: false, written: 0 };

/** The write with this number, unlike any other, has changed the page. */
export function expectChange(
  oracle: Oracle,
  page: number,
  written: number,
  change: (known: Uint8Array) => void,
): void {
  const { possible } = oracle.get(page) ?? untouched;
  const changed = possible.map((known) => {
    const copy = known.slice();
    change(copy);
    return copy;
  });
  oracle.set(page, { possible: changed, lazy: false, written });
}

/** From now on the page reads as zeros. */
export function expectZeros(oracle: Oracle, page: number): void {
  oracle.delete(page);
}

/** From now on the page may read as zeros. */
export function expectMaybeZeros(oracle: Oracle, page: number): void {
  const known = oracle.get(page) ?? untouched;
  const { possible, written } = known;
  if (possible.length === 1 && possible[0] === zeros) return;
  const others = possible.filter((each) => each !== zeros);
  oracle.set(page, { possible: [...others, zeros], lazy: true, written });
}

/** Has the page stayed as it was since one was a copy of the other? */
export function sameWrite(a: Oracle, b: Oracle, page: number): boolean {
  const known = a.get(page);
  return known !== undefined && known.written === b.get(page)?.written;
}

/** Null if a page may read so, and that is remembered; else what is wrong. */
export function compare(
  oracle: Oracle,
  page: number,
  actual: Uint8Array,
): string | null {
  const known = oracle.get(page) ?? untouched;
  const match = known.possible.find((each) => sameBytes(each, actual));
  if (match === undefined) return difference(known.possible[0]!, actual);
  // What is not lazy will not change by itself: now we know which it was.
  if (known.lazy && match !== zeros) return null;
  if (known.possible.length > 1) {
    oracle.set(page, { ...known, possible: [match], lazy: false });
  }
  return null;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const left = new Uint32Array(a.buffer, a.byteOffset, pageSize / 4);
  const right = new Uint32Array(b.buffer, b.byteOffset, pageSize / 4);
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) return false;
  }
  return true;
}

function difference(expected: Uint8Array, actual: Uint8Array): string {
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  return `byte ${at} is ${actual[at]}, was written ${expected[at]}`;
}
