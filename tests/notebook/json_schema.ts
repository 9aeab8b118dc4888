/**
 * JSON Schema, draft 4, as far as the notebook schema uses it. A keyword that
 * is not known here is an error: nothing is passed over in silence.
 */

export type Schema = Record<string, unknown>;

/** What says nothing about a value, and slips of the official schema. */
const SILENT: ReadonlySet<string> = new Set([
  "$schema",
  "description",
  "definitions",
  // The official schema has these where they mean nothing.
  "item",
  "source_hidden",
  "outputs_hidden",
]);

/** faultsOf() - what is wrong with a value: place and reason, or nothing. */
export function faultsOf(value: unknown, root: Schema): string[] {
  return check(value, root, "", root);
}

function check(
  value: unknown,
  schema: Schema,
  at: string,
  root: Schema,
): string[] {
  // In draft 4 a reference stands alone: what is beside it is passed over.
  if (typeof schema["$ref"] === "string") {
    return check(value, resolve(schema["$ref"], root), at, root);
  }
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (SILENT.has(keyword)) return [];
    const rules = RULES[keyword];
    if (rules === undefined) throw new Error(`unknown keyword ${keyword}`);
    return rules({ value, rule, schema, at, root });
  });
}

function resolve(pointer: string, root: Schema): Schema {
  let at: unknown = root;
  for (const key of pointer.split("/").slice(1)) {
    at = Reflect.get(at as Schema, key);
  }
  if (typeof at !== "object" || at === null) throw new Error(`no ${pointer}`);
  return at as Schema;
}

interface Case {
  value: unknown;
  rule: unknown;
  schema: Schema;
  at: string;
  root: Schema;
}

function fault(isRight: boolean, at: string, words: string): string[] {
  return isRight ? [] : [`${at || "/"}: ${words}`];
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "object") return isObject(value);
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  const own = typeof value;
  return own === type;
}

const RULES: Record<string, (one: Case) => string[]> = {
  type: ({ value, rule, at }) =>
    fault(
      [rule].flat().some((type) => isOfType(value, type)),
      at,
      `no ${rule}`,
    ),
  enum: ({ value, rule, at }) =>
    fault((rule as unknown[]).includes(value), at, `none of ${rule}`),
  required: ({ value, rule, at }) =>
    (rule as string[]).flatMap((key) =>
      fault(!isObject(value) || key in value, at, `no ${key}`)
    ),
  pattern: ({ value, rule, at }) => {
    const isRight = typeof value !== "string" ||
      new RegExp(rule as string).test(value);
    return fault(isRight, at, `does not match ${rule}`);
  },
  minLength: ({ value, rule, at }) =>
    fault(
      typeof value !== "string" || value.length >= Number(rule),
      at,
      "short",
    ),
  maxLength: ({ value, rule, at }) =>
    fault(
      typeof value !== "string" || value.length <= Number(rule),
      at,
      "long",
    ),
  minimum: ({ value, rule, at }) =>
    fault(typeof value !== "number" || value >= Number(rule), at, `< ${rule}`),
  maximum: ({ value, rule, at }) =>
    fault(typeof value !== "number" || value <= Number(rule), at, `> ${rule}`),
  uniqueItems: ({ value, at }) => {
    const all = Array.isArray(value)
      ? value.map((one) => JSON.stringify(one))
      : [];
    return fault(new Set(all).size === all.length, at, "an item stands twice");
  },
  items: ({ value, rule, at, root }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) =>
        check(item, rule as Schema, `${at}/${index}`, root)
      )
      : [],
  oneOf: ({ value, rule, at, root }) => {
    const tried = (rule as Schema[]).map((one) => check(value, one, at, root));
    const count = tried.filter((faults) => faults.length === 0).length;
    if (count === 1) return [];
    const nearest = tried.toSorted((a, b) => a.length - b.length)[0] ?? [];
    return count > 1 ? [`${at}: fits ${count} forms`] : nearest;
  },
  not: ({ value, rule, at, root }) =>
    fault(
      check(value, rule as Schema, at, root).length > 0,
      at,
      "must not fit",
    ),
  properties: ({ value, rule, at, root }) =>
    entriesOf(value).flatMap(([key, item]) => {
      const own = (rule as Record<string, Schema>)[key];
      return own ? check(item, own, `${at}/${key}`, root) : [];
    }),
  patternProperties: ({ value, rule, at, root }) =>
    entriesOf(value).flatMap(([key, item]) =>
      patternsOf(key, rule).flatMap((own) =>
        check(item, own, `${at}/${key}`, root)
      )
    ),
  additionalProperties: ({ value, rule, schema, at, root }) =>
    entriesOf(value).flatMap(([key, item]) => {
      const isNamed = key in ((schema["properties"] ?? {}) as Schema) ||
        patternsOf(key, schema["patternProperties"] ?? {}).length > 0;
      if (isNamed || rule === true) return [];
      if (rule === false) return [`${at}: unknown property ${key}`];
      return check(item, rule as Schema, `${at}/${key}`, root);
    }),
};

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function patternsOf(key: string, rule: unknown): Schema[] {
  return Object.entries(rule as Record<string, Schema>)
    .filter(([pattern]) => new RegExp(pattern).test(key))
    .map(([, schema]) => schema);
}
