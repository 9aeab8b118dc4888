/**
 * Where one page has been: its events as text, and its places as spans. Ours.
 */
import { formatEvents, pageHistory, type TraceEvent } from "../sim/trace.ts";
import { PAGE_SIZE } from "../mm/pgtable.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";

/** Ready for `timeline()`: lanes from the top, spans in microseconds. */
export interface Journey {
  readonly lanes: readonly string[];
  readonly events: readonly {
    readonly lane: string;
    readonly from: number;
    readonly to: number;
    readonly label: string;
  }[];
  readonly unit: string;
}

const inFrame = "frame";
const inZswap = "zswap";
const onDevice = "swap device";

/** Which event begins, and which one ends, the page's stay in a place. */
const stays: readonly {
  readonly lane: string;
  readonly begin: readonly string[];
  readonly end: readonly string[];
}[] = [
  {
    lane: inFrame,
    begin: ["set_pte", "do_swap_page", "zswap_load", "swap_read_folio"],
    end: ["__remove_mapping"],
  },
  {
    lane: inZswap,
    begin: ["zswap_store"],
    end: ["zswap_load", "zswap_writeback_entry"],
  },
  { lane: onDevice, begin: ["__swap_writepage"], end: ["add_to_swap"] },
];

function eventsOf(
  { k }: Machine,
  process: Process,
  page: number,
): TraceEvent[] {
  if (!Number.isInteger(page) || page < 0 || page >= process.pages) {
    throw new RangeError(
      `page: wanted a whole number from 0 to ${process.pages - 1}, got ${page}`,
    );
  }
  const vpn = process.area.vm_start / PAGE_SIZE + page;
  return pageHistory(k.trace, process.pid, vpn);
}

/** historyOf() - what happened to a page, one event a line. */
export function historyOf(
  machine: Machine,
  process: Process,
  page: number,
): string {
  return formatEvents(eventsOf(machine, process, page));
}

/**
 * journeyOf() - where the page's bytes were, from its first event until now.
 *
 * They can be in two places at once: that is what the swap cache is.
 */
export function journeyOf(
  machine: Machine,
  process: Process,
  page: number,
): Journey {
  const history = eventsOf(machine, process, page);
  const events = stays.flatMap((stay) => spansOf(stay, history, machine));
  return { lanes: [inFrame, inZswap, onDevice], events, unit: "µs" };
}

function spansOf(
  { lane, begin, end }: (typeof stays)[number],
  history: readonly TraceEvent[],
  { k }: Machine,
): Journey["events"][number][] {
  const spans: Journey["events"][number][] = [];
  let open: TraceEvent | null = null;
  for (const event of history) {
    if (open === null && begin.includes(event.fn)) open = event;
    else if (open !== null && end.includes(event.fn)) {
      spans.push(span(lane, open, event.time));
      open = null;
    }
  }
  if (open !== null) spans.push(span(lane, open, k.clock.now));
  return spans;
}

function span(lane: string, from: TraceEvent, to: number) {
  const label = lane === inFrame ? `frame ${from.pfn}` : from.what;
  return { lane, from: from.time / 1000, to: to / 1000, label };
}
