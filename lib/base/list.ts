/**
 * Doubly linked lists whose links live in the objects they hold.
 *
 * Callers embed a `ListHead` and give it its owner; a bare head owns nothing.
 * An object is on at most one list through one head. `list_del()` leaves the
 * head pointing at itself, so `list_empty(node)` reads "not on a list".
 *
 * Kernel: include/linux/list.h (v6.12). Differs: list_del() is the kernel's
 * list_del_init(); container_of() is the field `owner`.
 */
export interface ListHead<T> {
  next: ListHead<T>;
  prev: ListHead<T>;
  /** The object that embeds this link; null in a list's head. */
  readonly owner: T | null;
}

interface Loose<T> {
  next: ListHead<T> | null;
  prev: ListHead<T> | null;
  owner: T | null;
}

/** A head that is an empty list, or a link that is on none. */
export function INIT_LIST_HEAD<T>(owner: T | null = null): ListHead<T> {
  const loose: Loose<T> = { next: null, prev: null, owner };
  const head = loose as ListHead<T>;
  head.next = head;
  head.prev = head;
  return head;
}

/**
 * Give a link that is on no list to the object that embeds it. (Ours: so the
 * object can be made with all its fields at once, and takes less memory.)
 */
export function embedLink<T>(link: ListHead<T>, owner: T): T {
  (link as Loose<T>).owner = owner;
  return owner;
}

export function list_empty<T>(head: ListHead<T>): boolean {
  return head.next === head;
}

function insertBetween<T>(
  node: ListHead<T>,
  prev: ListHead<T>,
  next: ListHead<T>,
): void {
  next.prev = node;
  node.next = next;
  node.prev = prev;
  prev.next = node;
}

/** Put `node` right behind `head`: the front of the list. */
export function list_add<T>(node: ListHead<T>, head: ListHead<T>): void {
  insertBetween(node, head, head.next);
}

/** Put `node` right before `head`: the back of the list. */
export function list_add_tail<T>(node: ListHead<T>, head: ListHead<T>): void {
  insertBetween(node, head.prev, head);
}

export function list_del<T>(node: ListHead<T>): void {
  node.prev.next = node.next;
  node.next.prev = node.prev;
  node.next = node;
  node.prev = node;
}

export function list_move<T>(node: ListHead<T>, head: ListHead<T>): void {
  list_del(node);
  list_add(node, head);
}

export function list_move_tail<T>(node: ListHead<T>, head: ListHead<T>): void {
  list_del(node);
  list_add_tail(node, head);
}

/** Move all of `list` to the front of `head`, in order; `list` is empty. */
export function list_splice_init<T>(list: ListHead<T>, head: ListHead<T>) {
  if (list_empty(list)) return;
  const first = list.next;
  const last = list.prev;
  last.next = head.next;
  head.next.prev = last;
  head.next = first;
  first.prev = head;
  list.next = list;
  list.prev = list;
}

/** The object at the front, or null. */
export function list_first_entry_or_null<T>(head: ListHead<T>): T | null {
  return head.next.owner;
}

/** The object at the back, or null. (Ours: Linux has only the macro pair.) */
export function lastEntryOrNull<T>(head: ListHead<T>): T | null {
  return head.prev.owner;
}

/** Every object from front to back; the list must not change meanwhile. */
export function* entriesOf<T>(head: ListHead<T>): Generator<T, void, void> {
  for (let node = head.next; node !== head; node = node.next) {
    if (node.owner !== null) yield node.owner;
  }
}

/** How many objects are on the list, counted one by one. */
export function listLength<T>(head: ListHead<T>): number {
  let length = 0;
  for (let node = head.next; node !== head; node = node.next) length++;
  return length;
}
