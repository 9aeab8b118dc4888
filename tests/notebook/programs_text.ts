/**
 * Still more cell programs, in the notation of programs.ts: how a cell's text
 * is read. Semicolons that are not there, strings that look like code,
 * letters, TypeScript, messages, and where a fault is. Written by hand.
 */
import type { Program } from "./programs.ts";

export const semicolons: Program[] = [
  [
    ["let a = 1\nlet b = 2\n[a, b] = [b, a]"],
    "ReferenceError: Cannot access 'b'",
  ],
  [["let a = 1, b = 2\n;[a, b] = [b, a]\n;[a, b]"], "[ 2, 1 ]"],
  [["let a = 1\n+1\na"], "2"],
  [["let f = () => 1\n`x`"], ""],
  [["let a = 1, g = 2\na\n/g/g"], "0.25"],
  [["let i = 1, j = 5\ni\n++\nj\n;[i, j]"], "[ 1, 6 ]"],
  [["const f = () => { return\n{ a: 1 } }\nf()"], ""],
  [["let x\nlet\ny = 2\ny"], "2"],
  [["let x = 1\nx\n(2)"], "TypeError: "],
  [["var a = 1\nvar b = a\n{ var c = b }\nc"], "1"],
  [["if (1) var x = 1\nelse var x = 2\nx"], "1"],
  [["let x = 0\ndo x++\nwhile (x < 3) x"], "3"],
  [["let f = (x) => x\nf\n`a`"], "[ 'a' ]"],
  [["class A {}\n[1].length"], "1"],
  [["function f() {}\n(1)"], "1"],
  [["let a = class {}\n;(1)"], "1"],
  [["let x = 1; while (x < 3) x++; x"], "3"],
  [["let x = 5; { x }\n-1"], "-1"],
  [["{ a: 1 }"], ""],
  [["{}"], ""],
  [["{} + 1"], "1"],
  [["({}) + 1"], "'[object Object]1'"],
  [["[]"], "[]"],
  [["; 1"], "1"],
  [["1; {}"], ""],
  [["1; var x"], ""],
  [["a: 1"], ""],
  [["1\nimport 'lib'"], ""],
  [["1\nimport { one } from 'lib'\none"], "1"],
  [["let x = 3; x++"], "3"],
  [["let x = 3; x += 2"], "5"],
  [["let o = { a: 1 }; delete o.a"], "true"],
  [["void 0"], ""],
  [["1, undefined"], ""],
  [["(1, 2), 3"], "3"],
  [["((1), 2)"], "2"],
  [["true ? 1 : 2"], "1"],
  [["(class A {})"], "[class A]"],
  [["(function named() {})"], "[Function: named]"],
  [["/a/g"], "/a/g"],
  [["10n ** 2n"], "100n"],
  [["1_000 + 0b11 + 0o7 + 0xf"], "1025"],
  [["1..toFixed(1)"], "'1.0'"],
  [["-0"], "-0"],
  [["debugger\n1"], "1"],
  [["throw\nnew Error('x')"], "SyntaxError: Illegal newline after throw"],
];

export const lookalikes: Program[] = [
  [["let x = 1", "'let x = 2; export default x'\nx"], "1"],
  [["let x = 1", "\"import { x } from 'y'\"\nx"], "1"],
  [["'</script><!-- -->'"], "'</script><!-- -->'"],
  [["let x = 1", "`${`let x = ${x}`} x $x.value`"], "'let x = 1 x $x.value'"],
  [["let x = 1", "`\\${x} $x $ {x}`"], "'${x} $x $ {x}'"],
  [["let x = 1", "`${{ x }.x}${((x) => x)(2)}`"], "'12'"],
  [["let x = 1", "`a\nb ${\nx\n} c`"], "'a\\nb 1 c'"],
  [["String.raw`\\unicode \\x`"], "'\\\\unicode \\\\x'"],
  [["'a\\\nb'"], "'ab'"],
  [["'//' + '/* ' + \"*/\""], "'///* */'"],
  [["let x = 1 // let x = 2\n/* x = 3 */ x"], "1"],
  [["/* */ 1 /* */ + /* \n */ 2 /**/"], "3"],
  [["1 /* one"], "SyntaxError: Unterminated comment"],
  [["`open"], "SyntaxError: Unterminated template"],
  [["/open"], "SyntaxError: Unterminated regular expression"],
  [["//# sourceURL=other\nthrow new Error('x')"], "Error: x @ 2:7"],
  [["throw new Error('x')\n//# sourceURL=other"], "Error: x @ 1:7"],
  [["let x = 8, g = 2, i = 2", "x /g/i"], "2"],
  [
    ["let s = 'a/b'", "s.split(/[/]/).map((c) => /[a-z]/.test(c))"],
    "[ true, true ]",
  ],
  [["if (true) /x/.test('x')"], ""],
  [["let x = 4\nx++ / 2"], "2"],
  [["[/\\//, /[`'\"]/].length"], "2"],
  [["/(?<year>\\d+)/.exec('in 2024').groups.year"], "'2024'"],
  [["/[\\p{L}--[a-z]]/v.test('a')"], "false"],
  [["let a = 1, b = 2, c = 3; a < b && b > (c)"], "false"],
  [["let a = 5, b = 1; a >> b >>> 1"], "1"],
  [["let $ = { new: 1, import: 2 }", "$.new + $.import"], "3"],
  [["let $new = 1, $import = 2, $return = 3", "$new + $import + $return"], "6"],
  [["let º = 1, ªº = 2", "º + ªº"], "3"],
  [["let \\u0061bc = 5", "abc"], "5"],
  [["let abc = 5", "\\u{61}bc"], "5"],
  [
    ["let 𝒳 = 1, ünïcödé = 2, 变量 = 3, Ω1 = 4", "𝒳 + ünïcödé + 变量 + Ω1"],
    "10",
  ],
  [["let é = 1", "({ é })"], "{ 'é': 1 }"],
  [["'😀'.length"], "2"],
  [["let x = '\u2028'; x.length"], "1"],
  [["\ufefflet x = 1\nx"], "1"],
  [["\tlet x = 1\n\t\tx\t"], "1"],
  [["let x = 1\r\n// c\r\nx\r\n"], "1"],
  [["let x = 1\rx"], "1"],
  [["`a\r\nb\rc`"], "'a\\nb\\nc'"],
  [["`\\r\\n`.length"], "2"],
  [["'a\\\r\nb'"], "'ab'"],
  [["let a = 1 // one\r\nlet b = 2 /* two\r\n */\r\na + b"], "3"],
  [["#!/usr/bin/env deno\n1"], "1"],
  [["<!-- html\n1"], "SyntaxError: "],
  [["%timeit 1"], "SyntaxError: a cell is TypeScript"],
  [["!ls"], "ReferenceError: ls is not defined"],
  [["%%bash\nls"], "SyntaxError: a cell is TypeScript"],
  [["let of = [1]; for (const x of of) console.log(x)"], "> 1"],
  [[
    "let get = 1, set = 2, from = 3, as = 4, of = 5",
    "get + set + from + as + of",
  ], "15"],
  [[
    "let type = 1, declare = 2, namespace = 3, module = 4, abstract = 5",
    "type + declare + namespace + module + abstract",
  ], "15"],
  [["let enumerable = 1, interfaces = 2", "enumerable + interfaces"], "3"],
  [["let type = 1\ntype\n+ 1"], "2"],
  [["let satisfies = 1\nsatisfies\n+ 1"], "2"],
  [["let let = 1"], "SyntaxError: "],
  [["let yield = 1"], "SyntaxError: "],
];

export const typescript: Program[] = [
  [["const f = true ? (x: number): number => x + 1 : null\nf!(1)"], "2"],
  [["const f = async <T,>(x: T): Promise<T> => x\nawait f(1)"], "1"],
  [["<number> 1"], "1"],
  [["let x: any\n;(x as any) = 5\nx"], "5"],
  [["let x: any\nx! = 5\nx"], "5"],
  [["let o: { a?: { b: number } } = {}\no.a?.b!"], ""],
  [["1 satisfies number"], "1"],
  [["[1, 2] as const"], "[ 1, 2 ]"],
  [["let x = 1", "x as number"], "1"],
  [["let x = 1", "<any> x"], "1"],
  [
    [
      "function f(a: string): void\nfunction f(a: " +
      "number): void\nfunction f(a: unknown) { " +
      "return a }\nf(1)",
    ],
    "1",
  ],
  [["function f(x: unknown): asserts x is string {}\nf('')"], ""],
  [
    ["declare const outside: number\noutside"],
    "ReferenceError: outside is not",
  ],
  [["declare function f(): void\ntypeof f"], "'undefined'"],
  [["declare global { interface Array<T> { q: T } }\n1"], "1"],
  [["interface A { x: number }\n(1)"], "1"],
  [["type T = string\n(1)"], "1"],
  [["type T =\n  | 'a'\n  | `b${string}`\n1"], "1"],
  [["type T = import('nowhere').T\n1"], "1"],
  [["let x: typeof import('nowhere')\n1"], "1"],
  [["type A = 1; let A = 2\nA"], "2"],
  [
    [
      "class A<in out T> { constructor(public a: " +
      "number, private readonly b = 2) {} sum() " +
      "{ return this.a + this.b } }\nnew A<string>(1).sum()",
    ],
    "3",
  ],
  [
    [
      "class A { x?: number; readonly y = 1; static " +
      "z: string; [k: string]: unknown }\nObject.keys(new " +
      "A())",
    ],
    "[ 'x', 'y' ]",
  ],
  [["class A { m?(): void; n!: number }\nObject.keys(new A())"], "[ 'n' ]"],
  [
    [
      "abstract class A { abstract m(): number; " +
      "n() { return this.m() } }\nclass B extends " +
      "A { override m() { return 4 } }\nnew B().n()",
    ],
    "4",
  ],
  [
    [
      "class A implements Iterable<number> { *[Symbol.iterator](): " +
      "Iterator<number> { yield 1 } }\n[...new " +
      "A()]",
    ],
    "[ 1 ]",
  ],
  [["enum E { A, B = 5, C }\n[E.A, E.C, E[5]]"], "[ 0, 6, 'B' ]"],
  [["enum E { A = 'a', B = `b` }\nE.A"], "'a'"],
  [["enum E { A = 1 << 2, B = A | 1, C }\n[E.B, E.C]"], "[ 5, 6 ]"],
  [["const enum E { A = 3 }\nE.A"], "3"],
  [["enum E { A }", "E[0]"], "'A'"],
  [["enum E { A, Old }", "enum E { A }", "Object.keys(E)"], "[ '0', 'A' ]"],
  [["enum E { A }\nenum E { B = 1 }", "[E.A, E.B]"], "[ 0, 1 ]"],
  [["function f() { enum E { A = 7 } return E.A }\nf()"], "7"],
  [
    ["namespace N { export const a = 1 }\nN.a"],
    "SyntaxError: a cell has no `namespace`",
  ],
  [["declare namespace N { export interface A { b: string } }\n1"], "1"],
  [["// namespace N {\n`\nnamespace N {\n`.length"], "15"],
  [["namespace A.B {}"], "SyntaxError: a cell has no `namespace`"],
  [["import fs = require('fs')"], "SyntaxError: "],
  [["export = 1"], "SyntaxError: "],
  [["@deco class A {}"], "SyntaxError: a cell has no decorators"],
  [["class A { @deco m() {} }"], "SyntaxError: a cell has no decorators"],
  [["import { one, type T } from 'lib'\nlet x: T = one\nx"], "1"],
  [["import type T from 'nowhere'; import type { U } from 'nowhere'\n1"], "1"],
  [["export interface A {}\nexport type { B } from 'nowhere'\n1"], "1"],
  [["export enum E { A }"], "SyntaxError: a cell has nothing to export"],
  [["export {}"], "SyntaxError: a cell has nothing to export"],
  [["export { x }"], "SyntaxError: "],
  [
    ["let x = 1; export { x as y }"],
    "SyntaxError: a cell has nothing to export",
  ],
  [["export * as all from 'lib'"], "SyntaxError: a cell has nothing to export"],
  [
    ["export async function f() {}"],
    "SyntaxError: a cell has nothing to export",
  ],
  [["import data from 'lib' with { type: 'json' }\ndata"], "2"],
  [
    ["import { one } from 'lib'; import { one as two } from 'lib'\none + two"],
    "2",
  ],
  [
    ["import { one } from 'lib'\nlet one = 2"],
    "SyntaxError: Identifier 'one' has",
  ],
  [["{ import 'lib' }"], "SyntaxError: "],
  [
    ["import { one } from 'lib'\n{ let one = 3; var seen = one }\n[one, seen]"],
    "[ 1, 3 ]",
  ],
  [["import { one } from 'lib'\nconst o = { one, f: () => one }\no.f()"], "1"],
  [["import lib from 'lib'", "import * as lib from 'lib'", "lib.one"], "1"],
];

/** What V8 says of a name is said of the author's name, not of ours. */
export const messages: Program[] = [
  [["let f = 5\nf()"], "TypeError: f is not a function"],
  [["let f = 5", "f()"], "TypeError: f is not a function"],
  [["let o = {}", "o.f()"], "TypeError: o.f is not a function"],
  [["let o = { p: {} }", "o.p.f(1)"], "TypeError: o.p.f is not a function"],
  [["let n = 5", "new n()"], "TypeError: n is not a constructor"],
  [["let n = 5", "[...n]"], "TypeError: "],
  [["let n = 5", "for (const a of n);"], "TypeError: n is not iterable"],
  [["let n = 5", "const [a] = n"], "TypeError: "],
  [
    ["let o = null", "o.x"],
    "TypeError: Cannot read properties of null (reading 'x')",
  ],
  [
    ["const { a } = null"],
    "TypeError: Cannot ",
  ],
  [
    ["let o", "const { a } = o"],
    "TypeError: Cannot ",
  ],
  [
    ["let f = 5", "try { f() } catch (e) { console.log(e.message) }"],
    "> f is not a function",
  ],
  [
    ["let f = 5", "try { f() } catch ({ message }) { console.log(message) }"],
    "> f is not a function",
  ],
  [
    ["let f = 5", "await (async () => f())().catch((e) => console.log(e))"],
    "> TypeError: f is not a function",
  ],
  [
    ["class A {}", "new A().m()"],
    "TypeError: (intermediate value).m is not a function",
  ],
];

/** After `@`: the line and column of the cell at which it failed. */
export const places: Program[] = [
  [["throw new Error('x')"], "Error: x @ 1:7"],
  [
    ["let a: number = 1\n\n  nobody"],
    "ReferenceError: nobody is not defined @ 3:3",
  ],
  [
    ["let a: {\n  b: string\n} | null = null\na!.b"],
    "TypeError: Cannot read properties of null (reading 'b') @ 4:4",
  ],
  [
    ["interface A {\n  a: 1\n}\ntype B = 2\nnobody"],
    "ReferenceError: nobody is not defined @ 5:1",
  ],
  [
    ["const s = `a\nb\n${nobody}`"],
    "ReferenceError: nobody is not defined @ 3:3",
  ],
  [
    ["const a = 1\r\nconst b = 2\r\nnobody"],
    "ReferenceError: nobody is not defined @ 3:1",
  ],
  [
    ["'\u2028'\n/* \u2029 */\nnobody"],
    "ReferenceError: nobody is not defined @ 3:1",
  ],
  [["'\u2028'; nobody"], "ReferenceError: nobody is not defined @ 1:6"],
  [["\tnobody"], "ReferenceError: nobody is not defined @ 1:2"],
  [["'😀'; nobody"], "ReferenceError: nobody is not defined @ 1:7"],
  [
    ["let é = 1, 变 = 2; é; 变; nobody"],
    "ReferenceError: nobody is not defined @ 1:25",
  ],
  [
    ["enum E {\n  A,\n  B,\n}\nnobody"],
    "ReferenceError: nobody is not defined @ 5:1",
  ],
  [
    ["class A { constructor(private a: number) { nobody } }\nnew A(1)"],
    "ReferenceError: nobody is not defined @ 1:44",
  ],
  [
    ["import { one } from 'lib'\nlet two = one; let three = two; nobody"],
    "ReferenceError: nobody is not defined @ 2:33",
  ],
  [
    ["import {\n  one,\n} from 'lib'; nobody"],
    "ReferenceError: nobody is not defined @ 3:15",
  ],
  [["await null\n  nobody"], "ReferenceError: nobody is not defined @ 2:3"],
  [
    ["for (const x of [1]) {\n  for (const y of [x]) {\n    nobody\n  }\n}"],
    "ReferenceError: nobody is not defined @ 3:5",
  ],
  [
    ["[1].map((x: number): number =>\n  nobody)"],
    "ReferenceError: nobody is not defined @ 2:3",
  ],
  [
    ["function* g() {\n  nobody\n}\n[...g()]"],
    "ReferenceError: nobody is not defined @ 2:3",
  ],
  [
    ["const o = {\n  get a() {\n    return nobody\n  },\n}\no.a"],
    "ReferenceError: nobody is not defined @ 3:12",
  ],
  [["1 +"], "SyntaxError: Unexpected end of the cell (line 1:4)"],
  [["let a = 1\nlet b = )"], 'SyntaxError: Unexpected token ")" (line 2:9)'],
  [
    ["let a: number = 1; let b = 2 2"],
    'SyntaxError: Unexpected token, expected ";" (line 1:30)',
  ],
  [
    ["let a = 1;\nlet a = 2"],
    "SyntaxError: Identifier 'a' has already been declared (line 2:5)",
  ],
  [
    ["let a\r\nlet b\r\nlet c = ]"],
    'SyntaxError: Unexpected token "]" (line 3:9)',
  ],
  [
    ["const a: number = 1\n  export { a }"],
    "SyntaxError: a cell has nothing to export: " +
    "later cells see its top-level names already; " +
    "remove `export` (line 2:3)",
  ],
  [
    ["if (1) {\n  let x = 1"],
    "SyntaxError: Unexpected end of the cell (line 2:12)",
  ],
  [["let x = 'abc\n1"], "SyntaxError: Unterminated string constant (line 1:9)"],
  [
    ["import { one } from 'lib'\nimport { nine } from 'lib'\nnine"],
    'ImportError: "lib" has no export "nine"; did you mean "one"? (line 2:10)',
  ],
  [
    ["1\nimport { a } from './y'"],
    'ImportError: cannot import "./y"; a cell can import "lib" (line 2:19)',
  ],
];
