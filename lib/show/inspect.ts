/**
 * Values as text, the way Node's console.log prints them: `inspect` for one
 * value, `format` for the arguments of a console call.
 *
 * All hosts of a notebook go through here except tslab, which has Node's own;
 * so the text is Node's for everything that a chapter prints. It differs
 * where Node looks where a page cannot, or where output would change from
 * run to run:
 * - an Error is `Name: message` and its own fields, without the stack;
 * - a Promise, a WeakMap and an iterator show no contents;
 * - a Proxy is shown as what its traps answer;
 * - a typed array's own fields are left out;
 * - `%o` is `%O` with four levels, without hidden properties;
 * - `[util.inspect.custom]` is called only if it takes no arguments: that is
 *   how a folio says what to print; no getter ever is, save a
 *   `Symbol.toStringTag`.
 */
import { COMPACT_LEVELS, layOut, quote, quoteLines } from "./inspect_layout.ts";
import {
  isObject,
  type Part,
  primitiveText,
  shapeOf,
} from "./inspect_shape.ts";

const customInspect = Symbol.for("nodejs.util.inspect.custom");

/** How deep objects are opened before `[Object]` stands for them. */
const DEPTH = 2;

/** The state of one call: where the walk stands, and what it has met. */
interface Walk {
  depthLimit: number;
  /** Columns taken by the braces around. */
  indent: number;
  /** The level of the object opened last. */
  lastLevel: number;
  /** The objects around, outermost first. */
  open: object[];
  /** Objects met inside themselves, with the number that says so. */
  circular: Map<object, number>;
}

/** inspect() - one value as text; a string comes quoted. */
export function inspect(value: unknown): string {
  return inspectTo(DEPTH, value);
}

function inspectTo(depthLimit: number, value: unknown): string {
  const circular = new Map<object, number>();
  const walk = { depthLimit, indent: 0, lastLevel: 0, open: [], circular };
  return valueText(walk, value, 0);
}

function valueText(walk: Walk, value: unknown, level: number): string {
  if (typeof value === "string") return quoteLines(value, walk.indent);
  if (!isObject(value)) return primitiveText(value);
  const tell: unknown = Reflect.get(value, customInspect);
  if (typeof tell === "function" && tell.length === 0) {
    return valueText(walk, tell.call(value), level);
  }
  if (!walk.open.includes(value)) return objectText(walk, value, level);
  const number = walk.circular.get(value) ?? walk.circular.size + 1;
  walk.circular.set(value, number);
  return `[Circular *${number}]`;
}

function objectText(walk: Walk, value: object, level: number): string {
  const shape = shapeOf(value);
  if (shape.parts.length === 0) return shape.base || shape.open + shape.close;
  if (level > walk.depthLimit) return `[${shape.name}]`;
  walk.open.push(value);
  walk.lastLevel = level;
  const parts = shape.parts.map((it) => partText(walk, value, it, level + 1));
  walk.open.pop();
  const number = walk.circular.get(value);
  const reference = number === undefined ? "" : `<ref *${number}>`;
  const base = [reference, shape.base].filter((it) => it !== "").join(" ");
  const mayShareLine = walk.lastLevel - level < COMPACT_LEVELS;
  return layOut({ ...shape, base, parts, indent: walk.indent, mayShareLine });
}

function partText(
  walk: Walk,
  owner: object,
  part: Part,
  level: number,
): string {
  if (part.kind === "text") return part.text;
  if (part.kind === "value") return nestedText(walk, part.value, level);
  if (part.kind === "slot") {
    const text = slotText(walk, owner, part.key, level);
    return part.named ? `${keyText(owner, part.key)}: ${text}` : text;
  }
  const key = nestedText(walk, part.key, level);
  return `${key} => ${nestedText(walk, part.value, level)}`;
}

function nestedText(walk: Walk, value: unknown, level: number): string {
  walk.indent += 2;
  const text = valueText(walk, value, level);
  walk.indent -= 2;
  return text;
}

/** A property's value; accessors are named, not called. */
function slotText(
  walk: Walk,
  owner: object,
  key: PropertyKey,
  level: number,
): string {
  const slot = Object.getOwnPropertyDescriptor(owner, key);
  if (slot?.get) return slot.set ? "[Getter/Setter]" : "[Getter]";
  if (slot?.set) return "[Setter]";
  return nestedText(walk, slot?.value, level);
}

function keyText(owner: object, key: PropertyKey): string {
  const isVisible = Object.prototype.propertyIsEnumerable.call(owner, key);
  if (!isVisible || typeof key === "symbol") return `[${String(key)}]`;
  const name = String(key);
  if (name === "__proto__") return "['__proto__']";
  return /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(name) ? name : quote(name);
}

/**
 * format() - the text of `console.log(...args)`, without the newline.
 *
 * A first string may hold %s %d %i %f %j %o %O %c %%; they are only looked
 * at when more arguments follow. What is left over is appended by spaces.
 */
export function format(...args: unknown[]): string {
  const [first, ...rest] = args;
  const isTemplate = typeof first === "string" && rest.length > 0;
  if (!isTemplate) return args.map(bareText).join(" ");
  let used = 0;
  const head = first.replace(/%([sdifjoOc%])/g, (whole, letter: string) => {
    if (letter === "%") return "%";
    return used < rest.length ? filledIn(letter, rest[used++]) : whole;
  });
  return [head, ...rest.slice(used).map(bareText)].join(" ");
}

function bareText(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

function filledIn(letter: string, value: unknown): string {
  if (letter === "s") return stringText(value);
  if (letter === "j") return jsonText(value);
  if (letter === "o") return inspectTo(4, value);
  if (letter === "O") return inspect(value);
  if (letter === "c") return "";
  return numberText(letter, value);
}

function numberText(letter: string, value: unknown): string {
  if (typeof value === "symbol") return "NaN";
  if (letter === "f") return primitiveText(Number.parseFloat(String(value)));
  if (typeof value === "bigint") return `${value}n`;
  if (letter === "i") return primitiveText(Number.parseInt(String(value)));
  return primitiveText(isObject(value) ? NaN : Number(value));
}

function jsonText(value: unknown): string {
  try {
    return String(JSON.stringify(value));
  } catch (error) {
    if (/circular|cyclic/i.test(String(error))) return "[Circular]";
    throw error;
  }
}

/** %s: what `String` says if its class has a say in that, else inspected. */
function stringText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!isObject(value)) return primitiveText(value);
  if (typeof value === "function") return String(value);
  const toText: unknown = Reflect.get(value, "toString");
  const isOurs = typeof toText === "function" &&
    !/\[native code\]\s*\}$/.test(Function.prototype.toString.call(toText));
  return isOurs ? String(value) : inspectTo(0, value);
}
