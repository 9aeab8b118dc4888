/**
 * Simulated time. Ours.
 *
 * Nothing here reads the host's clock: time passes because an operation costs
 * something, or because everybody waits for the next event. Units: nanoseconds.
 */
export interface Clock {
  /** Nanoseconds since the machine was made. */
  now: number;
  /** Sorted: earliest first, equal times in the order they were asked for. */
  readonly events: TimedEvent[];
}

export interface TimedEvent {
  readonly at: number;
  readonly happen: () => void;
}

/** One timer tick at HZ=250, in nanoseconds. */
export const TICK_NSEC = 4_000_000;

export function makeClock(): Clock {
  return { now: 0, events: [] };
}

/** The running task worked for `nanoseconds`; due events happen. */
export function spend(clock: Clock, nanoseconds: number): void {
  const until = clock.now + nanoseconds;
  while (clock.events.length > 0 && clock.events[0]!.at <= until) {
    happenNext(clock);
  }
  clock.now = until;
}

/** Let `happen` be called when the clock reaches `at`. */
export function at(clock: Clock, time: number, happen: () => void): void {
  let index = clock.events.length;
  while (index > 0 && clock.events[index - 1]!.at > time) index--;
  clock.events.splice(index, 0, { at: time, happen });
}

/** Everybody waits: jump to the next event. False if there is none. */
export function idleUntilNextEvent(clock: Clock): boolean {
  if (clock.events.length === 0) return false;
  happenNext(clock);
  return true;
}

function happenNext(clock: Clock): void {
  const event = clock.events.shift()!;
  if (event.at > clock.now) clock.now = event.at;
  event.happen();
}
