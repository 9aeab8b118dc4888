/**
 * What the trace is told of a page: by its owner, its frame and its slot.
 *
 * Ours. Nothing is put together while nobody listens.
 */
import { emit, type TraceEvent } from "../sim/trace.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import type { PteSlot } from "./rmap.ts";
import { entryName, type SwpEntry } from "./swapops.ts";

/** How the page can be found; what is left out is not told. */
export interface Whereabouts {
  /** Where it is mapped. */
  readonly at?: Pick<PteSlot, "vma" | "vpn">;
  readonly folio?: Folio;
  readonly entry?: SwpEntry;
}

/** `fn` did `what` with a page. */
export function tell(
  k: Kernel,
  fn: string,
  what: string,
  { at, folio, entry }: Whereabouts,
): void {
  if (!k.trace.enabled) return;
  const event: { -readonly [Field in keyof TraceEvent]: TraceEvent[Field] } = {
    time: k.clock.now,
    fn,
    what,
  };
  if (at !== undefined) event.pid = at.vma.vm_mm.pid;
  if (at !== undefined) event.vpn = at.vpn;
  if (folio !== undefined) event.pfn = folio.pfn;
  if (entry !== undefined) event.slot = entryName(entry);
  emit(k.trace, event);
}
