/**
 * More cell programs, in the notation of programs.ts: which name is meant
 * where. Scopes, hoisting, redeclaring, classes, generators, async code. Each
 * expectation is what JavaScript says, written by hand.
 */
import type { Program } from "./programs.ts";

export const shadowing: Program[] = [
  [["let x = 1", "{ let x = 2; x = 3 }\nx"], "1"],
  [["let x = 1", "{ { var y = x } }\ny"], "1"],
  [["let x = 1", "{ function x() {} }\nx"], "1"],
  [["{ function inner() {} }", "inner"], "ReferenceError: inner is not"],
  [["let x = 1", "switch (x) { case x: let y = x + 1; y }\nx"], "1"],
  [["let x = 1", "switch (x) { case 1: let x = 2; console.log(x) }"], "> 2"],
  [
    ["let x = 1", "switch (x) { case x: let x = 2 }"],
    "ReferenceError: Cannot access 'x'",
  ],
  [["let x = 1", "switch (0) { default: let x = 5; x = 6 }\nx"], "1"],
  [["let x = [1]", "for (const x of x);"], "ReferenceError: Cannot access 'x'"],
  [["let i = 7", "for (let i = 0; i < 2; i++) { let i = 9 }\ni"], "7"],
  [
    ["let fs = []", "for (let i = 0; i < 2; i++) fs.push(() => i)\nfs[0]()"],
    "0",
  ],
  [
    ["let fs = []", "for (var i = 0; i < 2; i++) fs.push(() => i)\nfs[0]()"],
    "2",
  ],
  [["let e = 1", "try { throw 2 } catch (e) { e = 3 }\ne"], "1"],
  [["let e = 1", "try { throw [2] } catch ([e]) { e++ }\ne"], "1"],
  [["let e = 1", "try { throw 2 } catch { e = 3 }\ne"], "3"],
  [["try { throw 2 } catch (e) { var e = 3 }\ne"], ""],
  [
    ["let x = 1", "(function (a = x, x = 2) { return a })()"],
    "ReferenceError: Cannot access 'x'",
  ],
  [["let x = 1", "((a, b = () => a + x) => b())(2)"], "3"],
  [["let x = 1", "((...x) => x)(4, 5)"], "[ 4, 5 ]"],
  [
    ["let x = 1", "(({ a = x, ...x }) => [a, x])({})"],
    "ReferenceError: Cannot access 'x'",
  ],
  [["let x = 1", "(({ a = x }) => a)({})"], "1"],
  [["let x = 1", "(function () { return x; var x = 2 })()"], ""],
  [["let x = 1", "(() => { if (true) { var x = 2 } return x })()"], "2"],
  [["let x = 1", "(function x() { x; return typeof x })()"], "'function'"],
  [["let A = 1", "(class A { static n = typeof A }).n"], "'function'"],
  [["let x = 1", "x: for (;;) { break x }\nx"], "1"],
  [["let a = 1", "a: { if (a) break a; a = 2 }\na"], "1"],
  [["let arguments_ = 1", "(function () { return arguments })(1, 2)[1]"], "2"],
  [["(() => typeof arguments)()"], "'undefined'"],
  [["let Map = 5", "Map"], "5"],
  [["function parseInt() { return 7 }", "parseInt('1')"], "7"],
  [["const undefined = 1; typeof undefined"], "'number'"],
  [["let globalThis = 3", "globalThis"], "3"],
  [["globalThis.fromOutside = 4", "fromOutside"], "4"],
  [["globalThis.g1 = 4", "g1 = 5; delete globalThis.g1"], "true"],
  [["var v = 1", "globalThis.v"], ""],
  [["let x = 1", "(0, eval)('typeof x')"], "'undefined'"],
  [["let x = 1", "{ let \\u0024x = 2; x }\nx"], "1"],
  [["let x = 1", "{ let \\u0024x = 2; var y = x }\ny"], "1"],
  [
    ["let x = 1", "{ let $x = 2, $$x = 3, ºx = 4, ººx = 5; var y = x }\ny"],
    "1",
  ],
];

export const hoisting: Program[] = [
  [["f()\nfunction f() { return 1 }"], ""],
  [["const r = [...g()]\nfunction* g() { yield 1 }\nr"], "[ 1 ]"],
  [["const r = await f()\nasync function f() { return 1 }\nr"], "1"],
  [["typeof f\nfunction f() {}"], ""],
  [["const t = typeof f; function f() {}\nt"], "'function'"],
  [["const t = typeof v; var v = 1\nt"], "'undefined'"],
  [["function f() { return 1 }\nf = () => 2\nf()"], "2"],
  [["function f() { return 1 }", "f = () => 2", "f()"], "2"],
  [["function f() { return g() }\nfunction g() { return 3 }\nf()"], "3"],
  [
    ["function f() { return new Later().n }", "class Later { n = 4 }", "f()"],
    "4",
  ],
  [["const f = () => later", "f()"], "ReferenceError: later is not defined"],
  [["const f = () => later", "const later = 6", "f()"], "6"],
  [["const f = () => typeof later", "f()"], "'undefined'"],
  [["const f = () => typeof later", "let later = 1", "f()"], "'number'"],
  [
    ["const f = () => typeof later", "throw 1; let later = 1", "f()"],
    "ReferenceError: Cannot access 'later' before initialization",
  ],
  [["let a = 1; throw 1; let b = 2", "a"], "1"],
  [["let a = 1; throw 1; let b = 2", "b"], "ReferenceError: Cannot access 'b'"],
  [["throw 1; let b = 2", "let b = 3", "b"], "3"],
  [["throw 1; function f() { return 5 }", "f()"], "5"],
  [["throw 1; var v = 5", "v"], ""],
  [["let x = 1", "let x = x + 1"], "ReferenceError: Cannot access 'x' before"],
  [["var x = 1", "var x = x + 1", "x"], "2"],
  [["var x = 1", "let x", "var x", "x"], ""],
  [["function x() {}", "var x", "typeof x"], "'function'"],
  [["let x = 1", "var x", "x"], ""],
  [
    ["let x = 1; const set = () => { x = 2 }", "let x = 5", "set(); x", "x"],
    "2",
  ],
  [
    ["let x = 1; const set = () => { x = 2 }", "const x = 5", "set()"],
    "TypeError: Assignment to constant variable.",
  ],
  [
    ["const set = () => { x = 2 }", "const x = 5", "set()"],
    "TypeError: Assignment to constant variable.",
  ],
  [
    ["const x = 1; const set = () => { x = 2 }", "let x = 5", "set()", "x"],
    "2",
  ],
  [
    ["const x = 1; const up = () => x++", "let x = 5", "[up(), x]"],
    "[ 5, 6 ]",
  ],
  [
    ["const set = () => { x = 2 }", "import { one as x } from 'lib'", "set()"],
    "TypeError: Assignment to constant variable.",
  ],
  [["let n = 0", "n++", "n++"], "1"],
  [["let c = class { m() { return 1 } }; const o = new c()", "o.m()"], "1"],
  [["class A {}; const a = new A()", "class A {}", "a instanceof A"], "false"],
];

export const classes: Program[] = [
  [[
    "class A { static make() { return new A() } }",
    "A.make().constructor === A",
  ], "true"],
  [
    ["class A { #n = 1; static has(o) { return #n in o } }", "A.has(new A())"],
    "true",
  ],
  [["class A { get n() { return 2 } set n(v) {} }", "new A().n"], "2"],
  [[
    "let k = 'q'",
    "class A { [k] = 1; static [k + 1]() { return 2 } }",
    "A.q1()",
  ], "2"],
  [[
    "class A { m() { return 1 } }",
    "class B extends A { m() { return super.m() + 1 } }",
    "new B().m()",
  ], "2"],
  [["class A extends null {}", "Object.getPrototypeOf(A.prototype)"], "null"],
  [[
    "let base = Object",
    "class A extends (base ?? Array) {}",
    "new A() instanceof Object",
  ], "true"],
  [["class A { static { this.n = A.name } }", "A.n"], "'A'"],
  [["class A { static n = new this().v; v = 3 }", "A.n"], "3"],
  [["let v = 5", "class A { v = v; w = this.v }", "new A().w"], "5"],
  [
    ["class A { f = () => this }", "const { f } = new A(); f() instanceof A"],
    "true",
  ],
  [
    ["class A { static f() { return typeof this } }", "const g = A.f; g()"],
    "'undefined'",
  ],
  [["class A {}", "A()"], "TypeError: Class constructor A cannot be invoked"],
  [["class A { constructor() { return [1] } }", "new A()"], "[ 1 ]"],
  [["const A = class B {}", "A.name"], "'B'"],
  [["const A = class { static name = 'own' }", "A.name"], "'own'"],
  [["const f = (function () {})", "f.name"], "'f'"],
  [["const [f = () => 1] = []", "f.name"], "'f'"],
  [
    ["const o = { f: () => 1, g() {} }", "[o.f.name, o.g.name]"],
    "[ 'f', 'g' ]",
  ],
  [[
    "class A { static async *[Symbol.asyncIterator]() { yield 1 } }",
    "let s = 0; for await (const n of A) s += n\ns",
  ], "1"],
  [[
    "class A { accessor = 1; get = 2; set = 3; static = 4; async = 5 }",
    "new A().async",
  ], "5"],
  [["class A { 'use strict' = 1; 2 = 3 }", "new A()[2]"], "3"],
  [
    ["class A { x\ny = 2\n;['z'] = 3 }", "Object.keys(new A())"],
    "[ 'x', 'y', 'z' ]",
  ],
  [["new.target"], "SyntaxError: "],
  [["super.x"], "SyntaxError: "],
  [
    ["class A { constructor() {} constructor() {} }"],
    "SyntaxError: Duplicate constructor",
  ],
  [["class A { m() { return this.#p } }"], "SyntaxError: Private field '#p'"],
];

export const generators: Program[] = [
  [[
    "let x = 1\nfunction* g() { yield x; yield x }\nconst it = g()",
    "it.next()",
    "x = 2",
    "it.next().value",
  ], "2"],
  [[
    "function* g() { const got = yield 1; return got }",
    "const it = g(); it.next(); it.next('v').value",
  ], "'v'"],
  [[
    "function* g() { yield* [1, 2]; yield* g2() }\nfunction* g2() { yield 3 }",
    "[...g()]",
  ], "[ 1, 2, 3 ]"],
  [[
    "function* g() { try { yield 1 } finally { console.log('closed') } }",
    "for (const n of g()) break",
  ], "> closed"],
  [["const o = { *g() { yield this.n }, n: 4 }", "[...o.g()]"], "[ 4 ]"],
  [
    ["const [a, b] = (function* () { yield 1; yield 2; yield 3 })()", "[a, b]"],
    "[ 1, 2 ]",
  ],
  [["let n; for (n of [1, 2]) continue\nn"], "2"],
  [["let o = {}", "for (o.k of ['v']);", "o"], "{ k: 'v' }"],
  [["let a, b", "for ({ a, b = a } of [{ a: 1 }]);", "[a, b]"], "[ 1, 1 ]"],
  [["let a", "for (const { a: [inner] } of [{ a: [6] }]) a = inner", "a"], "6"],
  [
    ["for (const [k, v] of Object.entries({ a: 1 })) console.log(k, v)"],
    "> a 1",
  ],
  [["for (var [p, q] of [[1, 2]]);", "[p, q]"], "[ 1, 2 ]"],
  [["for (var i = 0, j = 9; i < j; i++, j--);", "[i, j]"], "[ 5, 4 ]"],
  [["let i = 0", "for (; i < 3;) i++\ni"], "3"],
  [
    [
      "o: for (let i = 0;; i++) { for (;;) { if " +
      "(i > 1) break o; continue o } }",
    ],
    "",
  ],
  [
    [
      "let s = ''; a: for (const x of '12') b: " +
      "for (const y of 'ab') { if (y === 'b') continue " +
      "a; s += x + y }\ns",
    ],
    "'1a2a'",
  ],
  [["for (let x of [1]) { break outer }"], "SyntaxError: "],
];

export const asynchronous: Program[] = [
  [["const a = await 1, b = await a + 1", "b"], "2"],
  [["let x = 1", "const f = async () => await x", "x = 2", "await f()"], "2"],
  [
    ["await (async () => { throw new RangeError('later') })()"],
    "RangeError: later",
  ],
  [
    ["console.log(1); queueMicrotask(() => console.log(3)); console.log(2)"],
    "> 1\n> 2\n> 3",
  ],
  [
    ["setTimeout(() => console.log('timer'), 0); console.log('first')"],
    "> first\n> timer",
  ],
  [["const [a, b] = await Promise.all([1, Promise.resolve(2)])", "a + b"], "3"],
  [
    ["for await (const x of [Promise.resolve(1), 2]) console.log(x)"],
    "> 1\n> 2",
  ],
  [["let v", "for await (v of [5]);", "v"], "5"],
  [["if (await true) { await null; var done = 1 }", "done"], "1"],
  [["const { a = await 3 } = {}", "a"], "3"],
  [["`${await 1}${await 2}`"], "'12'"],
  [["[await 1, ...await [2]]"], "[ 1, 2 ]"],
  [["({ [await 'k']: await 1 })"], "{ k: 1 }"],
  [["await null, 5"], "5"],
  [["(await import('lib')).default"], "2"],
  [[
    "import('lib').then((m) => m.one)",
    "await import('lib').then((m) => m.one)",
  ], "1"],
  [
    [
      "try { await Promise.reject(new Error('no')) " +
      "} catch (e) { console.log(e.message) } finally " +
      "{ console.log('end') }",
    ],
    "> no\n> end",
  ],
  [
    ["const f = async function* () { yield 1 }", "(await f().next()).value"],
    "1",
  ],
  [["let async = 1; async"], "1"],
  [["const async = (x) => x; async(4)"], "4"],
  [["async\n1"], "ReferenceError: async is not defined"],
  [["() => { await 1 }"], "SyntaxError: "],
  [["let await = 1"], "SyntaxError: "],
  [
    [
      "{ using d = { [Symbol.dispose]() { console.log('closed') " +
      "} }; console.log('open') }",
    ],
    "> open\n> closed",
  ],
  [
    [
      "{ await using d = { async [Symbol.asyncDispose]() " +
      "{ console.log('closed') } }; console.log('open') " +
      "}",
    ],
    "> open\n> closed",
  ],
  [["let d = 1", "{ using d = null; var was = d }", "[was, d]"], "[ null, 1 ]"],
  [
    [
      "for (using d of [{ n: 1, [Symbol.dispose]() " +
      "{ console.log('closed', this.n) } }]) console.log('in')",
    ],
    "> in\n> closed 1",
  ],
  [["await using d = null"], "SyntaxError: `using` would close"],
];
