import assert from "node:assert/strict";
import { ENOMEM } from "swaplab/base/errno.ts";
import { entriesOf, INIT_LIST_HEAD, type ListHead } from "swaplab/base/list.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { flush_workqueue } from "swaplab/locking/workqueue.ts";
import { spin_lock, spin_unlock } from "swaplab/locking/spinlock.ts";
import {
  list_lru_add,
  list_lru_count_node,
  list_lru_count_one,
  list_lru_del,
  list_lru_init,
  list_lru_isolate,
  list_lru_shrink_walk,
  list_lru_walk_one,
  type ListLru,
  LRU_REMOVED,
  LRU_REMOVED_RETRY,
  LRU_RETRY,
  LRU_ROTATE,
  LRU_SKIP,
  LRU_STOP,
  type LruStatus,
} from "swaplab/mm/list_lru.ts";
import {
  memcg_list_lru_alloc,
  memcg_reparent_list_lrus,
} from "swaplab/mm/list_lru_memcg.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import type { Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { run, type Task } from "swaplab/sim/task.ts";

interface Item {
  readonly name: string;
  readonly link: ListHead<Item>;
}

function makeItem(name: string): Item {
  const item = { name } as { -readonly [Field in keyof Item]: Item[Field] };
  item.link = INIT_LIST_HEAD<Item>(item);
  return item;
}

function kernel(nodes = 1): Kernel {
  return makeMachine({ frames: 64, nodes }).k;
}

/** A kernel, its lru, and a chain of groups: the root's child, its child. */
function setting(nodes = 1) {
  const k = kernel(nodes);
  const lru = list_lru_init<Item>(k, "test_lru");
  const parent = makeCgroup(k, k.root_mem_cgroup, "parent");
  const child = makeCgroup(k, parent, "child");
  return { k, lru, parent, child };
}

function listOf(lru: ListLru<Item>, memcg: MemCgroup | null, nid = 0): string {
  const idx = memcg?.kmemcg_id ?? -1;
  const one = idx < 0
    ? lru.node[nid]!.lru
    : lru.xa.entries.get(idx)!.node[nid]!;
  return [...entriesOf(one.list)].map(({ name }) => name).join("");
}

function addAll(
  k: Kernel,
  lru: ListLru<Item>,
  names: string,
  memcg: MemCgroup | null,
): Item[] {
  assert.equal(memcg_list_lru_alloc(k, memcg, lru), 0);
  const items = [...names].map(makeItem);
  for (const { link } of items) run(list_lru_add(k, lru, link, 0, memcg));
  return items;
}

/** A callback that answers by the object's name. */
function answering(answers: Record<string, LruStatus>, seen: string[] = []) {
  return function* (
    item: ListHead<Item>,
    one: { list: ListHead<Item>; nr_items: number },
    lock: Parameters<typeof spin_lock>[0],
  ): Task<LruStatus> {
    const { name } = item.owner!;
    seen.push(name);
    const status = answers[name] ?? LRU_SKIP;
    if (status === LRU_REMOVED || status === LRU_REMOVED_RETRY) {
      list_lru_isolate(one, item);
    }
    if (status === LRU_REMOVED_RETRY || status === LRU_RETRY) {
      spin_unlock(lock);
      yield* spin_lock(lock);
    }
    return status;
  };
}

Deno.test("list_lru_add() puts at the back, and refuses what is on a list", () => {
  const { k, lru, child } = setting();
  const [a] = addAll(k, lru, "abc", child);
  assert.equal(listOf(lru, child), "abc");
  assert.equal(run(list_lru_add(k, lru, a!.link, 0, child)), false);
  assert.equal(list_lru_count_one(k, lru, 0, child), 3);
  assert.equal(run(list_lru_del(k, lru, a!.link, 0, child)), true);
  assert.equal(run(list_lru_del(k, lru, a!.link, 0, child)), false);
  assert.equal(list_lru_count_node(lru, 0), 2);
});

Deno.test("nobody's objects and the root's are on the node's own list", () => {
  const { k, lru } = setting();
  addAll(k, lru, "a", null);
  addAll(k, lru, "b", k.root_mem_cgroup);
  assert.equal(listOf(lru, null), "ab");
  assert.equal(lru.xa.entries.size, 0);
});

Deno.test("each node has its own list and its own count", () => {
  const { k, lru, child } = setting(2);
  memcg_list_lru_alloc(k, child, lru);
  run(list_lru_add(k, lru, makeItem("x").link, 1, child));
  assert.equal(listOf(lru, child, 0), "");
  assert.equal(listOf(lru, child, 1), "x");
  assert.equal(list_lru_count_node(lru, 1), 1);
  assert.equal(list_lru_count_one(k, lru, 0, child), 0);
});

Deno.test("the first object of a list sets the group's shrinker bit", () => {
  const { k, lru, child } = setting();
  lru.shrinker_id = 7;
  addAll(k, lru, "a", null);
  const { map } = child.nodeinfo[0]!.shrinker_info;
  assert.equal(map.size, 0);
  addAll(k, lru, "b", child);
  assert.deepEqual([...map], [7]);
});

Deno.test("the walk: each answer of the callback", () => {
  const { k, lru, child } = setting();
  addAll(k, lru, "abcdef", child);
  const seen: string[] = [];
  const answers = {
    a: LRU_REMOVED,
    b: LRU_ROTATE,
    d: LRU_REMOVED_RETRY,
    e: LRU_STOP,
  } as const;
  const budget = { nr_to_walk: 100 };
  const removed = run(
    list_lru_walk_one(k, lru, 0, child, answering(answers, seen), budget),
  );
  // After d the walk begins again at the front, where c is.
  assert.equal(seen.join(""), "abcdce");
  assert.equal(listOf(lru, child), "cefb");
  assert.equal(removed, 2);
  assert.equal(budget.nr_to_walk, 94);
  assert.equal(list_lru_count_one(k, lru, 0, child), 4);
  assert.equal(list_lru_count_node(lru, 0), 4);
});

Deno.test("the budget ends a walk that only retries", () => {
  const { k, lru, child } = setting();
  addAll(k, lru, "ab", child);
  const seen: string[] = [];
  const sc = {
    gfp_mask: 0,
    nid: 0,
    memcg: child,
    nr_to_scan: 5,
    nr_scanned: 0,
  };
  const callback = answering({ a: LRU_RETRY }, seen);
  assert.equal(run(list_lru_shrink_walk(k, lru, sc, callback)), 0);
  assert.equal(seen.join(""), "aaaaa");
  assert.equal(sc.nr_to_scan, 0);
});

Deno.test("a callback that uses list_lru_del() makes the node's total drift", () => {
  const { k, lru, child } = setting();
  addAll(k, lru, "ab", child);
  function* likeZswap(
    item: ListHead<Item>,
    _one: unknown,
    lock: Parameters<typeof spin_lock>[0],
  ): Task<LruStatus> {
    spin_unlock(lock);
    yield* list_lru_del(k, lru, item, 0, child);
    yield* spin_lock(lock);
    return LRU_REMOVED_RETRY;
  }
  run(list_lru_walk_one(k, lru, 0, child, likeZswap, { nr_to_walk: 9 }));
  assert.equal(list_lru_count_one(k, lru, 0, child), 0);
  assert.equal(list_lru_count_node(lru, 0), -2);
});

Deno.test("memcg_list_lru_alloc() makes lists up to the first that is there", () => {
  const { k, lru, parent, child } = setting();
  const grandchild = makeCgroup(k, child, "grandchild");
  const other = makeCgroup(k, parent, "other");
  memcg_list_lru_alloc(k, child, lru);
  assert.deepEqual([...lru.xa.entries.keys()], [parent.id, child.id]);
  const before = lru.xa.entries.get(child.id);
  memcg_list_lru_alloc(k, grandchild, lru);
  assert.equal(lru.xa.entries.get(child.id), before);
  assert.deepEqual(
    [...lru.xa.entries.keys()],
    [parent.id, child.id, grandchild.id],
  );
  k.inject.listLruArrays = 1;
  assert.equal(memcg_list_lru_alloc(k, other, lru), -ENOMEM);
  assert.equal(lru.xa.entries.has(other.id), false);
  assert.equal(memcg_list_lru_alloc(k, other, lru), 0);
  assert.equal(memcg_list_lru_alloc(k, null, lru), 0);
});

Deno.test("a child's objects become the parent's next victims, in order", () => {
  const { k, lru, parent, child } = setting();
  lru.shrinker_id = 3;
  const dead = child.kmemcg_id;
  addAll(k, lru, "pq", parent);
  addAll(k, lru, "abc", child);
  parent.nodeinfo[0]!.shrinker_info.map.clear();
  run(memcg_reparent_list_lrus(k, child, parent));
  assert.equal(listOf(lru, parent), "abcpq");
  assert.equal(list_lru_count_one(k, lru, 0, parent), 5);
  assert.equal(list_lru_count_one(k, lru, 0, child), 5);
  assert.equal(lru.xa.entries.has(dead), false);
  assert.deepEqual([...parent.nodeinfo[0]!.shrinker_info.map], [3]);
});

Deno.test("an empty child sets no bit; its descendants switch with it", () => {
  const { k, lru, parent, child } = setting();
  lru.shrinker_id = 3;
  const grandchild = makeCgroup(k, child, "grandchild");
  memcg_list_lru_alloc(k, grandchild, lru);
  run(memcg_reparent_list_lrus(k, child, parent));
  assert.equal(parent.nodeinfo[0]!.shrinker_info.map.size, 0);
  assert.equal(grandchild.kmemcg_id, parent.id);
});

Deno.test("the walk ends when the parent took the list over meanwhile", () => {
  const { k, lru, parent, child } = setting();
  addAll(k, lru, "abc", child);
  const seen: string[] = [];
  function* offlineInBetween(
    item: ListHead<Item>,
    _one: unknown,
    lock: Parameters<typeof spin_lock>[0],
  ): Task<LruStatus> {
    seen.push(item.owner!.name);
    spin_unlock(lock);
    yield* memcg_reparent_list_lrus(k, child, parent);
    yield* spin_lock(lock);
    return LRU_RETRY;
  }
  const budget = { nr_to_walk: 9 };
  run(list_lru_walk_one(k, lru, 0, child, offlineInBetween, budget));
  assert.deepEqual([seen.join(""), budget.nr_to_walk], ["a", 8]);
  assert.equal(listOf(lru, parent), "abc");
});

Deno.test("a group offline for its memory only: two lists are one for the next", () => {
  const { k, lru, parent, child } = setting();
  addAll(k, lru, "a", child);
  assert.equal(run(removeCgroup(k, child)), 0);
  assert.equal(run(removeCgroup(k, parent)), 0);
  assert.equal(listOf(lru, null), "a");
  assert.equal(lru.xa.entries.size, 0);
});

/** What a list_lru is: by group, the names in order. */
class Naive {
  readonly lists = new Map<MemCgroup | null, string[]>([[null, []]]);
  listFor(memcg: MemCgroup | null): string[] {
    let at = memcg;
    while (at !== null && !this.lists.has(at)) at = at.parent;
    return this.lists.get(at) ?? this.lists.get(null)!;
  }
}

Deno.test("list_lru agrees with arrays under adds, dels, walks and reparents", () => {
  for (let seed = 1; seed <= 60; seed++) agree(seed);
});

function agree(seed: number): void {
  const rng = makeRng(seed);
  const k = kernel();
  const lru = list_lru_init<Item>(k, "test_lru");
  const naive = new Naive();
  const groups: MemCgroup[] = [];
  const items = new Map<string, { item: Item; memcg: MemCgroup | null }>();
  const pick = <T>(from: readonly T[]): T => from[nextBelow(rng, from.length)]!;

  const steps: Record<string, () => void> = {
    make() {
      const parent = pick([k.root_mem_cgroup, ...groups]);
      const memcg = makeCgroup(k, parent, `g${groups.length}`);
      memcg_list_lru_alloc(k, memcg, lru);
      groups.push(memcg);
      naive.lists.set(memcg, []);
    },
    add() {
      const memcg = pick([null, ...groups]);
      const item = makeItem(`i${items.size}`);
      items.set(item.name, { item, memcg });
      assert.equal(run(list_lru_add(k, lru, item.link, 0, memcg)), true);
      naive.listFor(memcg).push(item.name);
    },
    del() {
      const linked = [...items.values()].filter(({ item, memcg }) =>
        naive.listFor(memcg).includes(item.name)
      );
      if (linked.length === 0) return;
      const { item, memcg } = pick(linked);
      assert.equal(run(list_lru_del(k, lru, item.link, 0, memcg)), true);
      const list = naive.listFor(memcg);
      list.splice(list.indexOf(item.name), 1);
    },
    walk() {
      const memcg = pick([null, ...groups]);
      const list = naive.listFor(memcg);
      const [first, second] = list;
      const answers: Record<string, LruStatus> = {
        [first ?? ""]: pick([LRU_REMOVED, LRU_ROTATE, LRU_SKIP]),
        [second ?? ""]: pick([LRU_REMOVED_RETRY, LRU_STOP]),
      };
      const budget = { nr_to_walk: 2 };
      run(list_lru_walk_one(k, lru, 0, memcg, answering(answers), budget));
      const gone = [first, second].filter((name) =>
        name !== undefined &&
        [LRU_REMOVED, LRU_REMOVED_RETRY].some((s) => s === answers[name])
      );
      if (first !== undefined && answers[first] === LRU_ROTATE) {
        list.push(list.shift()!);
      }
      for (const name of gone) list.splice(list.indexOf(name!), 1);
    },
    remove() {
      const leaves = groups.filter((g) => g.children.length === 0);
      if (leaves.length === 0) return;
      const memcg = pick(leaves);
      const list = naive.lists.get(memcg)!;
      assert.equal(run(removeCgroup(k, memcg)), 0);
      run(flush_workqueue(k.workqueue));
      assert.equal(memcg.freed, true);
      groups.splice(groups.indexOf(memcg), 1);
      naive.lists.delete(memcg);
      naive.listFor(memcg.parent).unshift(...list);
      // As the objcgs of its objects: they point to the parent from now on.
      for (const entry of items.values()) {
        if (entry.memcg === memcg) entry.memcg = memcg.parent;
      }
    },
  };
  for (let step = 0; step < 120; step++) {
    const name = pick(["make", "add", "add", "add", "del", "walk", "remove"]);
    if (name === "make" && groups.length > 6) continue;
    steps[name]!();
    for (const memcg of [null, ...groups]) {
      const expected = naive.listFor(memcg);
      const where = `seed ${seed}, step ${step} ${name}`;
      assert.equal(listOf(lru, memcg), expected.join(""), where);
      assert.equal(
        list_lru_count_one(k, lru, 0, memcg),
        expected.length,
        where,
      );
    }
    const total = [...naive.lists.values()].flat().length;
    assert.equal(list_lru_count_node(lru, 0), total, `seed ${seed}`);
  }
}
