/** What was freed is kept and marked: whoever touches it stops the machine. */
import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import { swappedPage } from "swaplab/lab/litmus/stage.ts";
import { onCpu } from "swaplab/lab/race.ts";
import { xa_erase } from "swaplab/base/xarray.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { folio_trylock } from "swaplab/mm/page_flags.ts";
import { zswap_entry_free } from "swaplab/mm/zswap_entry.ts";
import { zswap_decompress } from "swaplab/mm/zswap_pool.ts";
import type { Task } from "swaplab/sim/task.ts";

function oneEntry() {
  const { machine, k } = swappedPage({ swap: { kind: "brd", pages: 3 } });
  const run = <T>(task: Task<T>) => machine.run(task, onCpu(0));
  const { xa } = k.zswap.trees[0]![0]!;
  const [[slot, entry] = []] = xa.entries;
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  xa_erase(xa, slot!);
  run(zswap_entry_free(k, entry!));
  return { k, run, entry: entry!, folio };
}

function stops(act: () => void, message: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof KernelBug);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("a zswap entry that was freed cannot be read", () => {
  const { k, entry, folio } = oneEntry();
  stops(
    () => zswap_decompress(k, entry, folio),
    /use after free: zswap entry of 0:1/,
  );
});

Deno.test("a zswap entry is freed once", () => {
  const { k, run, entry } = oneEntry();
  stops(
    () => run(zswap_entry_free(k, entry)),
    /double free: zswap entry of 0:1/,
  );
});

Deno.test("a folio that was freed can be neither locked nor put", () => {
  const { k, folio } = oneEntry();
  folio_put(k, folio);
  stops(() => void folio_trylock(folio), /use after free: lock of frame \d+/);
  stops(() => folio_put(k, folio), /frame \d+ is free/);
});
