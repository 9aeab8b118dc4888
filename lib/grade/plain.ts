/**
 * Plain data: what may cross the border between the student's process and the
 * grader's. Used on both sides and in the student's own test run.
 *
 * Everything that JSON cannot say becomes a *tag*, `{ "$": "undefined" }`, so
 * that a forgotten `return` is told apart from `null`. Nothing is called on a
 * value: no toJSON, no valueOf, no iterator.
 */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** Nothing deeper and nothing larger than this is worth comparing. */
const maxDepth = 32;
const maxValues = 200_000;
const maxText = 10_000;

// Taken before any other code runs: later changes to globals do not reach us.
const { isArray } = Array;
const { keys } = Object;
const { isFinite } = Number;
const { isView } = ArrayBuffer;
const slice = Function.prototype.call.bind(String.prototype.slice) as (
  text: string,
  from: number,
  to: number,
) => string;

function tag(name: string): Plain {
  return { $: name };
}

/** A copy of `value` as plain data. */
export function toPlain(value: unknown): Plain {
  return copy(value, 0, { left: maxValues });
}

function copy(value: unknown, depth: number, budget: { left: number }): Plain {
  if (budget.left-- <= 0) return tag("too many values");
  switch (typeof value) {
    case "string":
      return value.length > maxText ? slice(value, 0, maxText) : value;
    case "boolean":
      return value;
    case "number":
      return isFinite(value) ? value : tag(`${value}`);
    case "object":
      if (value === null) return null;
      if (depth >= maxDepth) return tag("nested too deeply");
      return isArray(value) || isView(value)
        ? copyList(value as ArrayLike<unknown>, depth, budget)
        : copyObject(value, depth, budget);
    case "bigint":
      return tag(`${value}n`);
    default:
      return tag(typeof value);
  }
}

function copyList(
  list: ArrayLike<unknown>,
  depth: number,
  budget: { left: number },
): Plain {
  const result: Plain[] = [];
  for (let i = 0; i < list.length; i++) {
    if (budget.left <= 0) return tag("too many values");
    result[i] = copy(list[i], depth + 1, budget);
  }
  return result;
}

function copyObject(
  object: object,
  depth: number,
  budget: { left: number },
): Plain {
  if (object instanceof Promise) return tag("Promise");
  const result: Record<string, Plain> = { __proto__: null } as never;
  const names = keys(object);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const field = (object as Record<string, unknown>)[name];
    result[name] = copy(field, depth + 1, budget);
  }
  return result;
}
