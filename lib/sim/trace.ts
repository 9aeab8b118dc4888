/**
 * What happened, in order. Ours; event names are kernel function names.
 *
 * A trace keeps the last `capacity` events. An event may name a page by its
 * owner (`pid`, `vpn`), its frame (`pfn`) or its swap slot (`slot`);
 * `pageHistory()` follows a page through all three.
 */
export interface TraceEvent {
  readonly time: number;
  /** Kernel function where it happened. */
  readonly fn: string;
  /** What it did there, in a few words. */
  readonly what: string;
  readonly pid?: number;
  /** Virtual page number: address / 4096. */
  readonly vpn?: number;
  readonly pfn?: number;
  /** Swap entry as printed by `entryName()`: "0:17". */
  readonly slot?: string;
}

export interface Trace {
  readonly capacity: number;
  readonly events: TraceEvent[];
  /** Events that no longer fit. */
  dropped: number;
  enabled: boolean;
  /** Told of each function that a task enters; null if nobody asks. */
  calls: ((fn: string) => void) | null;
}

export function makeTrace(capacity: number): Trace {
  return {
    capacity,
    events: [],
    dropped: 0,
    enabled: capacity > 0,
    calls: null,
  };
}

/** Add an event; the oldest half goes when the trace is full. */
export function emit(trace: Trace, event: TraceEvent): void {
  if (!trace.enabled) return;
  if (trace.events.length >= trace.capacity) {
    const half = Math.ceil(trace.capacity / 2);
    trace.events.splice(0, half);
    trace.dropped += half;
  }
  trace.events.push(event);
}

/**
 * The running task enters `fn`: for diagrams, which show who was where. Costs
 * next to nothing while nobody asks. (Linux: the function tracer.)
 */
export function enter(trace: Trace, fn: string): void {
  if (trace.calls !== null) trace.calls(fn);
}

/**
 * The events of one virtual page: those that name it, and those that name the
 * frame or the slot that held it at that time.
 */
export function pageHistory(
  trace: Trace,
  pid: number,
  vpn: number,
): TraceEvent[] {
  const history: TraceEvent[] = [];
  let pfn: number | undefined;
  let slot: string | undefined;
  for (const event of trace.events) {
    const named = event.pid === pid && event.vpn === vpn;
    const followed = event.vpn === undefined &&
      ((event.pfn !== undefined && event.pfn === pfn) ||
        (event.slot !== undefined && event.slot === slot));
    if (!named && !followed) continue;
    pfn = event.pfn ?? pfn;
    slot = event.slot ?? slot;
    history.push(event);
    // The frame belongs to somebody else from now on.
    if (event.fn === "__remove_mapping") pfn = undefined;
  }
  return history;
}

/** One line an event, aligned; times in microseconds. */
export function formatEvents(events: readonly TraceEvent[]): string {
  return events.map((event) => {
    const time = (event.time / 1000).toFixed(1).padStart(7);
    const places = [
      event.pfn === undefined ? "" : `frame ${event.pfn}`,
      event.slot === undefined ? "" : `slot ${event.slot}`,
    ].filter((place) => place !== "").join(", ");
    const where = places === "" ? "" : ` (${places})`;
    return `${time} µs  ${event.fn}: ${event.what}${where}`;
  }).join("\n");
}
