/** A fair scheduler: everybody in turn, `slice` steps each; one run. Ours. */
import type { Scheduler, View } from "./execute.ts";

export function roundRobin(slice = 1): Scheduler {
  let begun = false;
  let used = 0;
  return {
    begin() {
      const first = !begun;
      begun = true;
      return first;
    },
    choose({ enabled, last, pending }: View): number {
      const mayGoOn = last >= 0 && (enabled & (1 << last)) !== 0;
      if (mayGoOn && used < slice) {
        used++;
        return last;
      }
      used = 1;
      for (let i = 1; i <= pending.length; i++) {
        const actor = (last + i) % pending.length;
        if ((enabled & (1 << actor)) !== 0) return actor;
      }
      return -1;
    },
    end() {},
  };
}
