/**
 * What of an object is printed: its prefix, its braces and its parts, as
 * data. Nothing is opened here; inspect.ts walks the parts and
 * inspect_layout.ts breaks them into lines.
 */
import { type List, MAX_ITEMS, quote } from "./inspect_layout.ts";

/** One thing between the braces. */
export type Part =
  | { kind: "text"; text: string }
  | { kind: "slot"; key: PropertyKey; named: boolean }
  | { kind: "value"; value: unknown }
  | { kind: "entry"; key: unknown; value: unknown };

export interface Shape {
  /** Stands alone if there is nothing in the braces; "" for plain objects. */
  base: string;
  open: string;
  close: "}" | "]";
  /** What `[…]` says instead when the object lies too deep. */
  name: string;
  parts: Part[];
  /** Set for array-likes: the parts may be arranged in columns. */
  list?: List;
}

type TypedArray = ArrayLike<number | bigint> & { BYTES_PER_ELEMENT: number };

/** shapeOf() - the parts of any object or function. Calls no getter. */
export function shapeOf(value: object): Shape {
  if (Array.isArray(value)) return arrayShape(value);
  if (value instanceof Map) return mapShape(value);
  if (value instanceof Set) return setShape(value);
  if (value instanceof ArrayBuffer) return bufferShape(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return typedArrayShape(value as unknown as TypedArray);
  }
  const base = baseOf(value);
  const prefix = prefixOf(value, "Object");
  const isPlain = prefix === "Object " || base !== "";
  const name = makerOf(value) === null
    ? "Object: null prototype"
    : prefix.trimEnd();
  const parts = keysOf(value).map(slot);
  const open = isPlain ? "{" : `${prefix}{`;
  return { base, open, close: "}", name, parts };
}

/** isObject() - true for all that can have properties. */
export function isObject(value: unknown): value is object {
  return typeof value === "function" ||
    (typeof value === "object" && value !== null);
}

/** primitiveText() - anything but a string or an object. */
export function primitiveText(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  return typeof value === "bigint" ? `${value}n` : String(value);
}

/** The name of the class that made it; null for `Object.create(null)`. */
function makerOf(value: object): string | null {
  let at: object | null = value;
  while (at !== null) {
    const field = Object.getOwnPropertyDescriptor(at, "constructor");
    const maker: unknown = field?.value;
    if (typeof maker === "function" && maker.name !== "") {
      if (value instanceof maker) return maker.name;
    }
    at = Object.getPrototypeOf(at);
  }
  return null;
}

/** `Map(2) `, `Foo [tag] `, `[Object: null prototype] `: what stands first. */
function prefixOf(value: object, fallback: string, size = ""): string {
  const maker = makerOf(value);
  const name = maker === null
    ? `[${fallback}${size}: null prototype]`
    : `${maker}${size}`;
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  const isNews = typeof tag === "string" && tag !== "" && tag !== maker;
  return isNews ? `${name} [${tag}] ` : `${name} `;
}

function text(line: string): Part {
  return { kind: "text", text: line };
}

function slot(key: PropertyKey): Part {
  return { kind: "slot", key, named: true };
}

function visibleKeys(value: object): PropertyKey[] {
  const symbols = Object.getOwnPropertySymbols(value);
  const isVisible = Object.prototype.propertyIsEnumerable;
  return [
    ...Object.keys(value),
    ...symbols.filter((symbol) => isVisible.call(value, symbol)),
  ];
}

function keysOf(value: object): PropertyKey[] {
  const keys = visibleKeys(value);
  if (value instanceof String) return keys.filter((key) => !isIndex(key));
  if (!(value instanceof Error)) return keys;
  const told = ["name", "message", "stack"];
  const own = keys.filter((key) => !told.includes(String(key)));
  const hidden = ["cause", "errors"].filter((it) => Object.hasOwn(value, it));
  return [...new Set([...own, ...hidden])];
}

function isIndex(key: PropertyKey): boolean {
  return typeof key === "string" && /^(0|[1-9]\d*)$/.test(key);
}

/** The text of what is more than its properties. */
function baseOf(value: object): string {
  if (typeof value === "function") return functionText(value as () => unknown);
  if (value instanceof Error) return errorText(value);
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value);
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  }
  const isBoxed = value instanceof Number || value instanceof String ||
    value instanceof Boolean;
  if (!isBoxed) return "";
  const inner = value.valueOf();
  const shown = typeof inner === "string" ? quote(inner) : primitiveText(inner);
  return `[${makerOf(value) ?? "Object"}: ${shown}]`;
}

function functionText(value: () => unknown): string {
  const source = Function.prototype.toString.call(value);
  const name: unknown = Object.getOwnPropertyDescriptor(value, "name")?.value;
  const shown = typeof name === "string" && name !== "" ? name : null;
  if (/^class\b/.test(source)) {
    const parent: unknown = Object.getPrototypeOf(value);
    const isDerived = typeof parent === "function" && parent.name !== "";
    const tail = isDerived ? ` extends ${parent.name}` : "";
    return `[class ${shown ?? "(anonymous)"}${tail}]`;
  }
  const kind = makerOf(value) ?? "Function (null prototype)";
  return `[${kind}${shown === null ? " (anonymous)" : `: ${shown}`}]`;
}

/** `Name: message`; a class that named itself nowhere is still told. */
function errorText(error: Error): string {
  const maker = makerOf(error) ?? "Error";
  const given = String(error.name);
  const isInherited = given.endsWith("Error") && !Object.hasOwn(error, "name");
  const longer = maker.includes(given) ? maker : `${maker} [${given}]`;
  const name = isInherited ? longer : given;
  return error.message === "" ? name : `${name}: ${error.message}`;
}

function moreItems(left: number): Part[] {
  if (left <= 0) return [];
  return [text(`... ${left} more item${left > 1 ? "s" : ""}`)];
}

function arrayShape(value: unknown[]): Shape {
  const items: Part[] = [];
  let index = 0;
  while (index < value.length && items.length < MAX_ITEMS) {
    if (Object.hasOwn(value, index)) {
      items.push({ kind: "slot", key: index++, named: false });
      continue;
    }
    const holes = nextFilled(value, index) - index;
    items.push(text(`<${holes} empty item${holes > 1 ? "s" : ""}>`));
    index += holes;
  }
  const left = value.length - index;
  const keys = visibleKeys(value).filter((key) => !isIndex(key));
  const parts = [...items, ...moreItems(left), ...keys.map(slot)];
  const looked = value.slice(0, parts.length);
  const isNumeric = (it: unknown) =>
    typeof it === "number" || typeof it === "bigint";
  const alignRight = parts.length <= value.length && looked.every(isNumeric);
  const list = { alignRight, hasTrailer: parts.length > MAX_ITEMS };
  const prefix = prefixOf(value, "Array", `(${value.length})`);
  const open = prefix === `Array(${value.length}) ` ? "[" : `${prefix}[`;
  const name = makerOf(value) ?? "Array";
  return { base: "", open, close: "]", name, parts, list };
}

function nextFilled(value: unknown[], from: number): number {
  const key = Object.keys(value).find((it) => isIndex(it) && +it >= from);
  return key === undefined ? value.length : Number(key);
}

/** Own fields of a typed array are left out: finding them is too slow. */
function typedArrayShape(value: TypedArray): Shape {
  const name = makerOf(value) ?? "TypedArray";
  const shown = Array.prototype.slice.call(value, 0, MAX_ITEMS);
  const left = value.length - shown.length;
  const items = shown.map((item) => text(primitiveText(item)));
  const parts = [...items, ...moreItems(left)];
  const list = { alignRight: true, hasTrailer: left > 0 };
  const open = `${prefixOf(value, name, `(${value.length})`)}[`;
  return { base: "", open, close: "]", name, parts, list };
}

function mapShape(value: Map<unknown, unknown>): Shape {
  const entry = ([key, item]: [unknown, unknown]): Part => ({
    kind: "entry",
    key,
    value: item,
  });
  return collectionShape(value, "Map", [...value].map(entry));
}

function setShape(value: Set<unknown>): Shape {
  const part = (item: unknown): Part => ({ kind: "value", value: item });
  return collectionShape(value, "Set", [...value].map(part));
}

function collectionShape(
  value: Map<unknown, unknown> | Set<unknown>,
  kind: "Map" | "Set",
  items: Part[],
): Shape {
  const shown = items.slice(0, MAX_ITEMS);
  const left = moreItems(items.length - shown.length);
  const parts = [...shown, ...left, ...visibleKeys(value).map(slot)];
  const open = `${prefixOf(value, kind, `(${value.size})`)}{`;
  const name = makerOf(value) ?? kind;
  return { base: "", open, close: "}", name, parts };
}

function bufferShape(value: ArrayBuffer): Shape {
  const bytes = [...new Uint8Array(value).subarray(0, MAX_ITEMS)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const left = value.byteLength - bytes.length;
  const more = left > 0 ? ` ... ${left} more byte${left > 1 ? "s" : ""}` : "";
  const parts = [
    text(`[Uint8Contents]: <${hex}${more}>`),
    text(`byteLength: ${value.byteLength}`),
  ];
  const name = "ArrayBuffer";
  return { base: "", open: `${name} {`, close: "}", name, parts };
}
