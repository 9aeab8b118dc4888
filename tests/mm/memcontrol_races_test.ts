/** T002-b: an object is added to a group's list while the group goes. */
import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import { INIT_LIST_HEAD, list_empty, listLength } from "swaplab/base/list.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { flush_workqueue } from "swaplab/locking/workqueue.ts";
import {
  list_lru_add,
  list_lru_del,
  list_lru_init,
  type ListLru,
} from "swaplab/mm/list_lru.ts";
import { memcg_list_lru_alloc } from "swaplab/mm/list_lru_memcg.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import {
  lookupMemcg,
  obj_cgroup_get,
  type ObjCgroup,
} from "swaplab/mm/memcontrol_objcg.ts";
import type { Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import type { Proposals } from "swaplab/proposals.ts";
import { actor, type Instance, type Program } from "swaplab/sim/execute.ts";
import { explore } from "swaplab/sim/explore.ts";
import { run, type Task } from "swaplab/sim/task.ts";

interface Setting {
  readonly k: Kernel;
  readonly lru: ListLru<string>;
  readonly parent: MemCgroup;
  readonly child: MemCgroup;
  /** The child's; the object holds a reference. */
  readonly objcg: ObjCgroup;
  readonly link: ReturnType<typeof INIT_LIST_HEAD<string>>;
}

function setting(proposals: Partial<Proposals>): Setting {
  const { k } = makeMachine({ frames: 64, shadow: false, proposals });
  const lru = list_lru_init<string>(k, "test_lru");
  const parent = makeCgroup(k, k.root_mem_cgroup, "P");
  const child = makeCgroup(k, parent, "C");
  memcg_list_lru_alloc(k, child, lru);
  const objcg = child.objcg!;
  obj_cgroup_get(objcg);
  return { k, lru, parent, child, objcg, link: INIT_LIST_HEAD("x") };
}

/** As zswap_lru_add(). */
function* add({ k, lru, objcg, link }: Setting): Task {
  const lookup = yield* lookupMemcg(k, objcg);
  yield* list_lru_add(k, lru, link, 0, lookup.memcg);
  lookup.done();
}

/** As zswap_lru_del(). */
function* del({ k, lru, objcg, link }: Setting): Task {
  const lookup = yield* lookupMemcg(k, objcg);
  yield* list_lru_del(k, lru, link, 0, lookup.memcg);
  lookup.done();
}

function* remove({ k, child }: Setting): Task {
  yield* removeCgroup(k, child);
  yield* flush_workqueue(k.workqueue);
}

/** All lists: [objects, counted]. */
function totals({ lru }: Setting): [number, number] {
  const groups = [...lru.xa.entries.values()].flatMap(({ node }) => node);
  const lists = [lru.node[0]!.lru, ...groups];
  return [
    lists.reduce((sum, { list }) => sum + listLength(list), 0),
    lists.reduce((sum, { nr_items }) => sum + nr_items, 0),
  ];
}

function program(
  name: string,
  proposals: Partial<Proposals>,
  tasks: Record<string, (s: Setting) => Task>,
  before: (s: Setting) => void = () => {},
): Program {
  function start(): Instance {
    const s = setting(proposals);
    before(s);
    const actors = Object.entries(tasks)
      .map(([who, task]) => actor(who, task(s)));
    return { actors, finish: () => finish(s) };
  }
  return { name, start };
}

/** Where the object is; a KernelBug if the lists do not add up. */
function finish(s: Setting): string {
  run(flush_workqueue(s.k.workqueue));
  const [objects, counted] = totals(s);
  if (objects !== counted) throw new KernelBug(`${objects}, not ${counted}`);
  const linked = !list_empty(s.link);
  if (linked && objects === 0) {
    throw new KernelBug("Invariant broken: on a list nobody finds");
  }
  run(del(s));
  const [left, still] = totals(s);
  if (left !== 0 || still !== 0) throw new KernelBug(`${left}, ${still} left`);
  if (!s.child.freed) throw new KernelBug("the group is not freed");
  return linked ? "linked" : "unlinked";
}

function result(p: Program) {
  const { complete, outcomes, failures, runs } = explore(p, { search: "dfs" });
  assert.equal(complete, true);
  return {
    runs,
    outcomes: outcomes.map(({ name }) => name),
    failures: failures.map(({ message }) => message),
  };
}

Deno.test("v6.12: an object added while its group goes is on the parent's list", () => {
  const { outcomes, failures, runs } = result(
    program("add ∥ offline", {}, { A: add, B: remove }),
  );
  assert.deepEqual({ outcomes, failures }, {
    outcomes: ["linked"],
    failures: [],
  });
  assert.ok(runs > 20, `${runs} runs`);
});

Deno.test("v6.12: deleted while its group goes: every order adds up in the end", () => {
  const { outcomes, failures } = result(
    program("del ∥ offline", {}, { A: del, B: remove }, (s) => run(add(s))),
  );
  assert.deepEqual({ outcomes, failures }, {
    outcomes: ["unlinked"],
    failures: [],
  });
});

Deno.test("a count can be negative while a list is taken over, the sum never wrong", () => {
  let negative = 0;
  const p = program(
    "del ∥ offline",
    {},
    { A: del, B: remove },
    (s) => run(add(s)),
  );
  const watched: Program = {
    name: p.name,
    start() {
      const s = setting({});
      run(add(s));
      return {
        actors: [actor("A", del(s)), actor("B", remove(s))],
        check() {
          const parents = s.lru.xa.entries.get(s.parent.id)!.node[0]!;
          if (parents.nr_items < 0) negative++;
          const [objects, counted] = totals(s);
          if (objects !== counted) throw new KernelBug("the sum is wrong");
        },
        finish: () => finish(s),
      };
    },
  };
  const { failures } = result(watched);
  assert.deepEqual(failures, []);
  assert.ok(negative > 0, "K1 does not hold on delete (facts A4)");
});

Deno.test("kmemcg_id_switch_first off: an object is lost, or a null pointer followed", () => {
  const { failures } = result(
    program(
      "add ∥ offline, ids last",
      { kmemcg_id_switch_first: "off" },
      { A: add, B: remove },
    ),
  );
  assert.ok(failures.some((message) => message.includes("nobody finds")));
  assert.ok(failures.some((message) => message.includes("null pointer")));
});

Deno.test("memcg_lookup unprotected: the group is freed under the adder", () => {
  const { failures } = result(
    program(
      "add ∥ offline, no protection",
      { memcg_lookup: "unprotected" },
      { A: add, B: remove },
    ),
  );
  assert.ok(failures.some((message) => message.includes("use after free")));
});

Deno.test("memcg_lookup css_get: as good as RCU", () => {
  const { failures } = result(
    program(
      "add ∥ offline, a reference",
      { memcg_lookup: "css_get" },
      { A: add, B: remove },
    ),
  );
  assert.deepEqual(failures, []);
});

Deno.test("list_lru_reparent_at release: the lists of a zombie stay behind", () => {
  const where = (list_lru_reparent_at: "offline" | "release") => {
    const s = setting({ list_lru_reparent_at });
    run(add(s));
    // A slot that is charged to it keeps the group.
    s.child.idRefs++;
    run(remove(s));
    const of = (memcg: MemCgroup) =>
      s.lru.xa.entries.get(memcg.kmemcg_id)!.node[0]!.nr_items;
    return [s.child.kmemcg_id === s.parent.id, of(s.parent), of(s.child)];
  };
  assert.deepEqual(where("offline"), [true, 1, 1]);
  assert.deepEqual(where("release"), [false, 0, 1]);
});

Deno.test("list_lru_reparent_at release: safe all the same, once it is released", () => {
  const { failures } = result(
    program(
      "add ∥ offline, lists at release",
      { list_lru_reparent_at: "release" },
      { A: add, B: remove },
    ),
  );
  assert.deepEqual(failures, []);
});
