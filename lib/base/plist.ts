/**
 * Lists that stay sorted by priority: the smallest number first, among equals
 * in the order of adding.
 *
 * Kernel: lib/plist.c, include/linux/plist.h (v6.12). Differs: one list
 * instead of two, so adding walks over the equals; container_of() is the
 * field `owner`.
 */
import {
  INIT_LIST_HEAD,
  list_add_tail,
  list_del,
  list_empty,
  list_first_entry_or_null,
  type ListHead,
} from "./list.ts";

export interface PlistNode<T> {
  prio: number;
  readonly owner: T;
  readonly node_list: ListHead<PlistNode<T>>;
}

export type PlistHead<T> = ListHead<PlistNode<T>>;

/** An empty list. */
export function plist_head_init<T>(): PlistHead<T> {
  return INIT_LIST_HEAD<PlistNode<T>>();
}

/** A node that is on no list. */
export function plist_node_init<T>(owner: T, prio: number): PlistNode<T> {
  const node = { prio, owner } as {
    -readonly [Field in keyof PlistNode<T>]: PlistNode<T>[Field];
  };
  node.node_list = INIT_LIST_HEAD<PlistNode<T>>(node);
  return node;
}

export function plist_head_empty<T>(head: PlistHead<T>): boolean {
  return list_empty(head);
}

/** The node is on no list. */
export function plist_node_empty<T>(node: PlistNode<T>): boolean {
  return list_empty(node.node_list);
}

/** Put `node` behind all of its priority. */
export function plist_add<T>(node: PlistNode<T>, head: PlistHead<T>): void {
  let behind = head.next;
  while (behind.owner !== null && behind.owner.prio <= node.prio) {
    behind = behind.next;
  }
  list_add_tail(node.node_list, behind);
}

export function plist_del<T>(node: PlistNode<T>): void {
  list_del(node.node_list);
}

/** Move `node` behind all of its priority: the next one has its turn. */
export function plist_requeue<T>(node: PlistNode<T>, head: PlistHead<T>): void {
  plist_del(node);
  plist_add(node, head);
}

/** The first node, or null. (Ours: Linux' plist_first() wants one.) */
export function plistFirst<T>(head: PlistHead<T>): PlistNode<T> | null {
  return list_first_entry_or_null(head);
}

/** The node behind `node`, or null at the end. (Ours, as plistFirst().) */
export function plistNext<T>(node: PlistNode<T>): PlistNode<T> | null {
  return node.node_list.next.owner;
}
