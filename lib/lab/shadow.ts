/**
 * The shadow: what each page should contain. Ours.
 *
 * Whatever a process writes is written here as well, into plain arrays that
 * the engine never sees. When a page is read, or comes back after a fault, it
 * is compared: a difference is data corruption, and stops the machine.
 */
import { KernelBug } from "../base/bug.ts";
import { formatEvents, pageHistory, type Trace } from "../sim/trace.ts";

const pageSize = 4096;

/** Pages by number within the process; one that is missing reads as zeros. */
export interface Shadow {
  readonly pages: Map<number, ShadowPage>;
}

/** Shared by parent and child until one of them writes. */
interface ShadowPage {
  readonly bytes: Uint8Array;
  shared: boolean;
  /** After MADV_FREE: it may read as zeros instead. */
  readonly loose: boolean;
}

export function makeShadow(): Shadow {
  return { pages: new Map() };
}

/** The child should see what the parent saw. */
export function copyShadow(shadow: Shadow): Shadow {
  for (const page of shadow.pages.values()) page.shared = true;
  return { pages: new Map(shadow.pages) };
}

/** Remember a write. */
export function shadowWrite(
  shadow: Shadow,
  page: number,
  offset: number,
  bytes: Uint8Array,
): void {
  let copy = shadow.pages.get(page);
  if (copy === undefined || copy.shared) {
    const old = copy?.bytes;
    copy = { bytes: new Uint8Array(pageSize), shared: false, loose: false };
    if (old !== undefined) copy.bytes.set(old);
    shadow.pages.set(page, copy);
  }
  copy.bytes.set(bytes, offset);
}

/** MADV_DONTNEED: pages `from` … `to`−1 read as zeros. */
export function shadowDrop({ pages }: Shadow, from: number, to: number): void {
  for (let page = from; page < to; page++) pages.delete(page);
}

/** MADV_FREE: they read as before, or as zeros. */
export function shadowLoosen(
  { pages }: Shadow,
  from: number,
  to: number,
): void {
  for (let page = from; page < to; page++) {
    const known = pages.get(page);
    if (known !== undefined) pages.set(page, { ...known, loose: true });
  }
}

/** A write is about to happen: which of the two is it, from now on? */
export function shadowSettle(
  { pages }: Shadow,
  page: number,
  actual: Uint8Array,
): void {
  const known = pages.get(page);
  if (known === undefined || !known.loose) return;
  if (firstDifference(undefined, actual) < 0) pages.delete(page);
  else pages.set(page, { ...known, loose: false });
}

/**
 * Compare what is in memory with what should be there.
 *
 * @throws KernelBug with the page's history
 */
export function shadowCheck(
  shadow: Shadow,
  where: { pid: number; page: number; vpn: number },
  actual: Uint8Array,
  trace: Trace,
): void {
  const known = shadow.pages.get(where.page);
  if (known?.loose && firstDifference(undefined, actual) < 0) return;
  const expected = known?.bytes;
  const at = firstDifference(expected, actual);
  if (at < 0) return;
  const history = formatEvents(pageHistory(trace, where.pid, where.vpn));
  throw new KernelBug(
    `Data corruption: process ${where.pid}, page ${where.page}, byte ${at}: ` +
      `wrote 0x${hex(expected?.[at] ?? 0)}, reads 0x${hex(actual[at]!)}`,
    history,
  );
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** Index of the first byte that differs, or −1; no `expected` means zeros. */
function firstDifference(
  expected: Uint8Array | undefined,
  actual: Uint8Array,
): number {
  const words = new Uint32Array(actual.buffer, actual.byteOffset, pageSize / 4);
  const wanted = expected === undefined
    ? null
    : new Uint32Array(expected.buffer, expected.byteOffset, pageSize / 4);
  for (let i = 0; i < words.length; i++) {
    if (words[i] === (wanted === null ? 0 : wanted[i])) continue;
    let at = 4 * i;
    while (actual[at] === (expected?.[at] ?? 0)) at++;
    return at;
  }
  return -1;
}
