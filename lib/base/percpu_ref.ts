/**
 * Reference counts with an owner who can let go: the initial reference is
 * dropped by a kill, and the object goes with its last user.
 *
 * Kernel: lib/percpu-refcount.c, include/linux/percpu-refcount.h (v6.12).
 * Differs: one number instead of one per CPU, so a kill takes effect at once.
 */
import { BUG_ON } from "./bug.ts";

export interface PercpuRef {
  /** Of what it counts the users, for messages. */
  readonly name: string;
  count: number;
  /** Killed: no initial reference, and nobody new through tryget_live. */
  dead: boolean;
  /** Called by whoever drops the last reference. */
  readonly release: () => void;
}

/** One reference, the initial one; `dead` (PERCPU_REF_INIT_DEAD): none yet. */
export function percpu_ref_init(
  name: string,
  release: () => void,
  dead = false,
): PercpuRef {
  return { name, count: dead ? 0 : 1, dead, release };
}

export function percpu_ref_get(ref: PercpuRef): void {
  BUG_ON(ref.count <= 0, () => `percpu_ref_get(${ref.name}): nobody holds it`);
  ref.count++;
}

/** One more reference, unless there is none left; also of a dead one. */
export function percpu_ref_tryget(ref: PercpuRef): boolean {
  if (ref.count <= 0) return false;
  ref.count++;
  return true;
}

/** One more reference, unless it was killed. */
export function percpu_ref_tryget_live(ref: PercpuRef): boolean {
  return !ref.dead && percpu_ref_tryget(ref);
}

/** Drop a reference; the last one calls `release()`. */
export function percpu_ref_put(ref: PercpuRef): void {
  BUG_ON(ref.count <= 0, () => `percpu_ref_put(${ref.name}): nobody holds it`);
  ref.count--;
  if (ref.count === 0) ref.release();
}

/** Drop the initial reference. */
export function percpu_ref_kill(ref: PercpuRef): void {
  BUG_ON(ref.dead, () => `percpu_ref_kill(${ref.name}): killed twice`);
  ref.dead = true;
  percpu_ref_put(ref);
}

/** Undo a kill, or begin: the initial reference is there (again). */
export function percpu_ref_resurrect(ref: PercpuRef): void {
  BUG_ON(!ref.dead, () => `percpu_ref_resurrect(${ref.name}): it is alive`);
  ref.dead = false;
  ref.count++;
}

export function percpu_ref_is_zero(ref: PercpuRef): boolean {
  return ref.count === 0;
}
