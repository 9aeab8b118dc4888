/**
 * Thread 002: an entry leaves its list while its group is freed.
 *
 * Most entries cannot outlive their group: the slot is charged to it and keeps
 * it. Not this one: its slot was charged to a group Z that is gone, the page
 * came back into group C and went again to the same slot. The entry is C's,
 * the slot is still Z's, and nothing keeps C. Now CPU0 unmaps the page, so
 * that zswap takes the entry off C's list, and CPU1 removes C.
 *
 * zswap asks the entry's objcg for the group and then looks at the group: in
 * between it must not be freed. A reference keeps it, RCU keeps its memory,
 * and that is enough. Ours.
 */
import { removeCgroup } from "../../mm/memcontrol_css.ts";
import { flush_workqueue } from "../../locking/workqueue.ts";
import { do_munmap } from "../../mm/mmap.ts";
import type { Kernel, MemCgroup } from "../../mm/mm_types.ts";
import type { Proposals } from "../../proposals.ts";
import type { Task } from "../../sim/task.ts";
import { checkMachine } from "../invariants.ts";
import { must } from "../must.ts";
import {
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
} from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor, threadActor } from "./stage.ts";

/** rmdir(2), and what the workers do then. */
function* removeGroup(k: Kernel, memcg: MemCgroup): Task {
  yield* removeCgroup(k, memcg);
  yield* flush_workqueue(k.workqueue);
}

function stage(proposals: Partial<Proposals>): Stage {
  const machine = raceMachine({
    // Not a RAM disk, and nearly empty: the slot stays when the page returns.
    swap: { kind: "ssd", pages: 16 },
    zswap: { maxPoolPercent: 100 },
    proposals,
  });
  const { k } = machine;
  const gone = machine.cgroup("Z");
  const group = machine.cgroup("C").memcg;
  const program = machine.spawn({ pages: 1, cgroup: gone });
  const expected = makeExpected();
  const run = (task: Task<unknown>) => machine.run(task, program.task);
  run(storeWord(k, program, 0, 1, expected));
  run(pageOut(k, program, 0));
  program.mm.memcg = group;
  gone.remove();
  run(loadWord(k, program, 0, expected));
  run(pageOut(k, program, 0));
  program.mm.memcg = k.root_mem_cgroup;
  const { vm_start, vm_end } = program.area;
  return {
    machine,
    actors: [
      threadActor(
        program,
        "program",
        0,
        do_munmap(k, program.mm, vm_start, vm_end - vm_start),
      ),
      kernelActor(1, removeGroup(k, group)),
    ],
    finish() {
      machine.settle();
      checkMachine(machine);
      must(k.zswap.stored_pages === 0, "the entry went with its slot");
      must(group.freed && gone.memcg.freed, "both groups are freed");
      return "all freed";
    },
  };
}

export const memcgFreeVsLruDel: Litmus = {
  name: "memcg-free-vs-lru-del",
  thread: "002",
  about: "is the group of an entry freed while zswap looks for its list?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "reference": { proposals: { memcg_lookup: "css_get" }, expect: "holds" },
    "unprotected": {
      proposals: { memcg_lookup: "unprotected" },
      expect: "bug",
    },
  },
  stage,
};
