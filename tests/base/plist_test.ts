import assert from "node:assert/strict";
import {
  plist_add,
  plist_del,
  plist_head_empty,
  plist_head_init,
  plist_node_empty,
  plist_node_init,
  plist_requeue,
  plistFirst,
  type PlistHead,
  plistNext,
} from "swaplab/base/plist.ts";

function names(head: PlistHead<string>): string {
  let text = "";
  for (let node = plistFirst(head); node !== null; node = plistNext(node)) {
    text += node.owner;
  }
  return text;
}

Deno.test("plist_add() sorts by priority, equals in the order of adding", () => {
  const head = plist_head_init<string>();
  const prios: [string, number][] = [["c", 5], ["a", -1], ["d", 5], ["b", 2]];
  for (const [name, prio] of prios) {
    plist_add(plist_node_init(name, prio), head);
  }
  assert.equal(names(head), "abcd");
});

Deno.test("plist_requeue() moves a node behind its equals, not further", () => {
  const head = plist_head_init<string>();
  const a = plist_node_init("a", 1);
  const others: [string, number][] = [["b", 1], ["c", 1], ["z", 2]];
  plist_add(a, head);
  for (const [name, prio] of others) {
    plist_add(plist_node_init(name, prio), head);
  }
  plist_requeue(a, head);
  assert.equal(names(head), "bcaz");
});

Deno.test("plist_del() takes a node off; it may be added again", () => {
  const head = plist_head_init<string>();
  const a = plist_node_init("a", 1);
  assert.ok(plist_node_empty(a));
  plist_add(a, head);
  assert.ok(!plist_node_empty(a));
  plist_del(a);
  assert.ok(plist_head_empty(head) && plist_node_empty(a));
  assert.equal(plistFirst(head), null);
});
