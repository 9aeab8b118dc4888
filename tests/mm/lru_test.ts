import assert from "node:assert/strict";
import { makeMachine } from "swaplab/lab/machine.ts";
import { LRU_INACTIVE_ANON, lru_note_cost } from "swaplab/mm/lru.ts";
import { makeCgroup } from "swaplab/mm/memcontrol_css.ts";

Deno.test("lru_note_cost(): halved above a quarter of the lists, at every level", () => {
  const { k } = makeMachine({ frames: 64 });
  const group = makeCgroup(k, k.root_mem_cgroup, "group");
  const [own, top] = [group, k.root_mem_cgroup].map(({ nodeinfo }) =>
    nodeinfo[0]!.lruvec
  );
  own!.lru_size[LRU_INACTIVE_ANON] = 8;
  top!.lru_size[LRU_INACTIVE_ANON] = 120;
  lru_note_cost(own!, false, 0, 2);
  assert.deepEqual([own!.anon_cost, top!.anon_cost], [2, 2]);
  lru_note_cost(own!, true, 0, 1);
  // Both sums are halved, of 8 pages; the root has 128.
  assert.deepEqual([own!.anon_cost, own!.file_cost], [1, 0]);
  assert.deepEqual([top!.anon_cost, top!.file_cost], [2, 1]);
  // An I/O costs as much as 32 pages looked at in vain.
  lru_note_cost(top!, true, 1, 0);
  assert.deepEqual([top!.anon_cost, top!.file_cost], [1, 16]);
});
