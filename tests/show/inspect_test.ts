import { deepEqual, equal, ok } from "node:assert/strict";
import { format as nodeFormat, inspect as nodeInspect } from "node:util";
import { format, inspect } from "swaplab/show/inspect.ts";

class Page {
  pfn = 3;
  #secret = 1;
  get twice() {
    return this.#secret * 2;
  }
}
class HugePage extends Page {
  order = 9;
}
class Tagged {
  a = 1;
  get [Symbol.toStringTag]() {
    return "tag";
  }
}
class PageList extends Array<number> {}

function circularRing() {
  const ring: Record<string, unknown> = { name: "ring", list: [] };
  ring.self = ring;
  ring.pair = { up: ring, map: new Map([["ring", ring]]) };
  return ring;
}

function sparse() {
  const list: unknown[] = [1];
  list[5] = "x";
  list[9] = null;
  return list;
}

const nestedArray = [[[[[1]]]], { a: [{ b: { c: 1 } }] }];
const numbers = (count: number, of = (index: number) => index) =>
  Array.from({ length: count }, (_, index) => of(index));

/** Values whose text is Node's, byte for byte. */
const VALUES: unknown[] = [
  undefined,
  null,
  true,
  0,
  -0,
  1.5,
  NaN,
  -Infinity,
  1e21,
  5n,
  -7n,
  Symbol("s"),
  Symbol(),
  "",
  "plain",
  "it's",
  `both ' and "`,
  "all ' \" `",
  "tab\t nl\n nul\0 bell\x07 back\\ 😀",
  "x".repeat(10_001),
  "long line one of two\n".repeat(8),
  [],
  [1],
  [1, "two", null, undefined, -0],
  [[], {}, [[]], [{}]],
  nestedArray,
  numbers(6),
  numbers(7),
  numbers(27, (index) => index * 1000),
  numbers(100),
  numbers(101),
  numbers(230, (index) => index ** 3),
  numbers(12).map(BigInt),
  numbers(30).map(String),
  numbers(20).map((index) => "w".repeat(index)),
  numbers(9).map((index) => ({ index })),
  numbers(40).map((index) => index % 3 ? "zbud" : "z3fold"),
  numbers(8).map((index) => `slot ${index} holds a fairly long sentence`),
  numbers(12).map((index) => index % 2 ? index : "odd"),
  numbers(10).map(() => "页面😀"),
  sparse(),
  new Array(3),
  new Array(200),
  Object.assign([1, 2], { extra: true }),
  Object.assign(numbers(8), { extra: true }),
  Object.assign(numbers(101), { extra: true }),
  PageList.from([1, 2]),
  {},
  { a: 1 },
  { a: { b: { c: { d: 1 } } } },
  { a: { b: { c: {} } } },
  { a: { b: { c: [] } }, b: [[[[]]]] },
  { a: { b: { c: new Map([[1, 2]]), d: new Uint8Array(2), e: new Page() } } },
  { "not-a-name": 1, _ok: 2, $dollar: 3, 5: 4, "it's": 5 },
  JSON.parse('{"__proto__": 1}'),
  {
    get read() {
      return 1;
    },
  },
  Object.defineProperty({}, "write", { set: Math.max, enumerable: true }),
  Object.defineProperty({}, "both", {
    get: Math.random,
    set: Math.max,
    enumerable: true,
  }),
  Object.fromEntries(numbers(8).map((it) => [`field_${it}`, it])),
  Object.fromEntries(numbers(10).map((it) => [`field_${it}`, it])),
  Object.fromEntries(numbers(30).map((it) => [`zswap_${it}`, it * 4096])),
  { pages: numbers(30), pool: { zbud: numbers(3), name: "lz4" } },
  { a: { b: { c: 1 } }, d: { e: 2 }, f: 3 },
  { text: "a sentence that is long\nand goes on in the second line, too\n" },
  [{ text: "a sentence that is long\nand goes on in the second line, too" }],
  Object.create(null),
  Object.assign(Object.create(null), { a: 1 }),
  [Object.assign(Object.create(null), { a: { b: { c: 1 } } })],
  Object.create({ inherited: 1 }),
  Object.create(Page.prototype),
  new Page(),
  new HugePage(),
  new (class {})(),
  { deep: { deeper: { page: new Page(), tagged: new Tagged() } } },
  new Tagged(),
  new Map(),
  new Map<unknown, unknown>([["a", 1], [{ k: 1 }, [2]], [[1], new Map()]]),
  new Map(numbers(12).map((index) => [index, `value ${index}`])),
  new Set(),
  new Set([1, "a", { b: 1 }]),
  Object.assign(new Set([1]), { extra: 1 }),
  new Uint8Array(0),
  new Uint8Array([1, 2, 255]),
  new Uint8Array(4096),
  new Float64Array([1.5, -0, NaN]),
  new BigUint64Array([1n, 2n]),
  new ArrayBuffer(3),
  new Uint8Array(60).fill(171).buffer,
  function named() {},
  function () {},
  (() => () => 1)(),
  function* make() {},
  async () => {},
  async function* both() {},
  Object.assign(function f() {}, { a: 1 }),
  Page,
  HugePage,
  class {},
  Object.assign(class Static {}, { a: 1 }),
  Math.max,
  /re\/gex/gi,
  new Date(0),
  new Date(NaN),
  Object(1),
  Object("boxed"),
  Object(false),
  Math,
  JSON,
  circularRing(),
  [circularRing(), circularRing()],
];

/** Where Deno's own node:util differs from Node: the text that Node gives. */
const NODE_ONLY: [unknown, string][] = [
  ["esc\x1b del\x7f", "'esc\\x1B del\\x7F'"],
  ["\ud800, alone \udc00", "'\\ud800, alone \\udc00'"],
  [
    { [Symbol("key")]: 1, [Symbol.iterator]: 2 },
    "{ [Symbol(key)]: 1, [Symbol(Symbol.iterator)]: 2 }",
  ],
  [
    new Set(numbers(103)),
    `Set(103) {\n${
      numbers(100).map((index) => `  ${index},\n`).join("")
    }  ... 3 more items\n}`,
  ],
  [
    new Map(numbers(101).map((index) => [index, index])),
    `Map(101) {\n${
      numbers(100).map((index) => `  ${index} => ${index},\n`).join("")
    }  ... 1 more item\n}`,
  ],
];

Deno.test("inspect() prints plain data as Node does", () => {
  ok(VALUES.length >= 80);
  for (const value of VALUES) equal(inspect(value), nodeInspect(value));
});

Deno.test("inspect() follows Node where Deno's node:util does not", () => {
  for (const [value, text] of NODE_ONLY) equal(inspect(value), text);
});

Deno.test("inspect() nests every value as Node does", () => {
  for (const value of VALUES) {
    const nested = { one: [value], map: new Map([[value, { value }]]) };
    equal(inspect(nested), nodeInspect(nested));
  }
});

Deno.test("inspect() sees shared parts as shared, not circular", () => {
  const part = { a: 1 };
  equal(inspect([part, part]), "[ { a: 1 }, { a: 1 } ]");
});

Deno.test("inspect() calls no getter", () => {
  const trap = {
    get boom(): number {
      throw new Error("called");
    },
  };
  equal(inspect(trap), "{ boom: [Getter] }");
});

function withoutStack(text: string): string {
  return text.replace(/\n\s+at .*/g, "");
}

Deno.test("inspect() prints errors as Node does, without the stack", () => {
  class KernelBug extends Error {}
  class SwapError extends Error {}
  class Named extends Error {
    override name = "Given";
  }
  const errors = [
    new Error("m"),
    new Error(),
    new TypeError("two\nlines"),
    new KernelBug("b"),
    new SwapError("s"),
    new Named("n"),
  ];
  for (const error of errors) {
    equal(inspect(error), withoutStack(nodeInspect(error)));
  }
});

Deno.test("inspect() shows an error's cause and own fields", () => {
  const error = new Error("m", { cause: "why" });
  equal(inspect(error), "Error: m { [cause]: 'why' }");
  const coded = Object.assign(new RangeError("r"), { code: -12 });
  equal(inspect([coded]), "[ RangeError: r { code: -12 } ]");
  const all = new AggregateError([1, 2], "both");
  equal(inspect(all), "AggregateError: both { [errors]: [ 1, 2 ] }");
});

const CALLS: unknown[][] = [
  [],
  ["one"],
  ["%%"],
  ["%d%%", 5],
  ["a", "b", 1, null, { s: "x" }],
  [1, "a", ["b"]],
  [{ a: "x" }, "%s"],
  ["%s and %s", "x"],
  ["%s %s %s", -0, 5n, Symbol("s")],
  ["%s|%s|%s", { a: { b: 1 } }, [1, [2]], new Map([[1, { a: 1 }]])],
  ["%s", { toString: () => "own" }],
  [
    "%s",
    new (class Id {
      toString() {
        return "id";
      }
    })(),
  ],
  ["%s", () => 1],
  ["%s", null],
  ["%s", Object.create(null)],
  ["%d %d %d %d", "0x10", {}, "", -0],
  ["%d %d %d", 5n, Symbol("s"), 1.5],
  ["%i %i %i %i", "3.7", 3.9, 5n, {}],
  ["%f %f %f", "3.5x", "x", 2n],
  ["%j %j", { a: [1] }, "x"],
  ["%j", circularRing()],
  ["%O", { a: { b: { c: { d: 1 } } } }],
  ["%c styled", "color: red"],
  ["%x %", 1],
  ["%s", "used", "left", { over: 1 }],
];

Deno.test("format() prints console arguments as Node does", () => {
  for (const call of CALLS) equal(format(...call), nodeFormat(...call));
});

Deno.test("format() opens four levels for %o", () => {
  const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
  const words = format("%o", deep).split(/\s+/);
  deepEqual(words.slice(-6), ["[Object]", "}", "}", "}", "}", "}"]);
});
