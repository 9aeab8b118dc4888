/**
 * Random programs: a few names, declared and shadowed in every way that
 * JavaScript has, read and assigned everywhere. They call `log(…values)`.
 */
import type { Random } from "./random_notebooks.ts";

const NAMES = ["a", "b", "c", "d", "f"];
const VALUES = ["1", "{ k: 4 }", "[1, [2]]", "() => 7", "'s'", "null"];

/** How deep expressions and statements are nested. */
const MAX_DEPTH = 4;

/** randomProgram() - its top-level statements, the first declares names. */
export function randomProgram(random: Random): string[] {
  const { below, pick } = random;
  const generator = makeGenerator(random);
  const parts = Array.from(
    { length: 2 + below(5) },
    () => generator.statement(),
  );
  const others = generator.undeclared().map((name) =>
    `${pick(["let", "var"])} ${name} = ${pick(VALUES)};\n`
  );
  return [others.join(""), ...parts];
}

function makeGenerator({ below, pick }: Random) {
  let depth = 0;
  /** Names that the block under way declares. */
  let declared = new Set<string>();

  const undeclared = () => NAMES.filter((name) => !declared.has(name));
  const name = () => pick(NAMES);
  const end = () => pick(["\n", ";\n", "; ", " // c\n", "; /* x */\n"]);
  const log = () => `;log(${expression()})${end()}`;

  function two(): [string, string] {
    const first = name();
    return [first, pick(NAMES.filter((one) => one !== first))];
  }

  function fresh(): string | null {
    const free = undeclared();
    if (free.length === 0) return null;
    const one = pick(free);
    declared.add(one);
    return one;
  }

  function nested(makers: readonly (() => string)[], leaf: () => string) {
    if (depth >= MAX_DEPTH) return leaf();
    depth++;
    const text = pick(makers)();
    depth--;
    return text;
  }

  function block(): string {
    const outer = declared;
    declared = new Set();
    const text = Array.from({ length: below(3) }, statement).join("");
    declared = outer;
    return text;
  }

  function expression(): string {
    const e = expression;
    return nested([
      name,
      name,
      name,
      () => `\`t\${${e()}}\``,
      () => `(${e()} + ${e()})`,
      () => `[${e()}, ...[${e()}]]`,
      () => `({ ${name()}, k: ${e()} })`,
      () => `({ ${name()}: ${e()}, [${e()}]: 2, ${name()}() { ${block()} } })`,
      () => `({ get g() { return ${e()} } }).g`,
      () => `typeof ${name()}`,
      () => `(${name()} = ${e()})`,
      () => `(${name()} ${pick(["+=", "??=", "||=", "&&="])} ${e()})`,
      () => `${name()}++`,
      () => `--${name()}`,
      () => `((${parameter()}) => ${e()})(${e()}, ${e()})`,
      () => `(function ${name()}(${parameter()}) { ${block()} })(${e()})`,
      () => `(() => { ${block()} return ${e()} })()`,
      () => `(${e()} ? ${e()} : ${e()})`,
      () => `${name()}?.k`,
      () => `${name()}?.(${e()})`,
      () => `(class ${pick(["", name()])} { static v = ${e()} }).v`,
      () => `(class { static { ${block()} } static v = ${e()} }).v`,
      () => `new (class { #p = ${e()}; q() { return this.#p } })().q()`,
      () => `(${target()} = ${pick([e(), "[1, 2]", "{ a: 3, b: [4] }"])})`,
      () => `await ${e()}`,
      () => `await (async (${name()} = ${e()}) => ${e()})()`,
      () => `(${e()}, ${e()})`,
      () => `[...(function* () { yield ${e()}; yield* [${e()}] })()]`,
      () => `(${name()})`,
      () => `${name()} /d/ 2`,
      () => `/[/'"]/.test(${e()})`,
      () => `(${name()} = () => ${e()}).name`,
      () => `void ${e()}`,
    ], () => pick(["1", "'s'", "null", name()]));
  }

  function parameter(): string {
    return pick<() => string>([
      name,
      () => `${name()} = ${expression()}`,
      () => `{ ${name()} = ${expression()}, k: z1 = 2 } = {}`,
      () => `[${name()}, z2 = ${expression()}] = []`,
      () => `...${name()}`,
    ])();
  }

  /** What a destructuring assignment assigns to. */
  function target(): string {
    const [one, other] = two();
    return pick<() => string>([
      () => `{ ${one}, k: ${other} }`,
      () => `[${one}, ${other} = ${expression()}]`,
      () => `{ ${one} = ${expression()}, ...${other} }`,
      () => `{ k: [${one}] = [], [${expression()}]: ${other} }`,
    ])();
  }

  function declaration(): string {
    const one = fresh();
    if (one === null) return log();
    const keyword = pick(["let", "const", "var"]);
    return pick<() => string>([
      () => `${keyword} ${one} = ${expression()}${end()}`,
      () => `${keyword} { k: ${one} = ${expression()} } = {}${end()}`,
      () => `${keyword} [, ...${one}] = [1, ${expression()}]${end()}`,
      () => `let ${one}${end()}`,
      () =>
        `${pick(["", "async "])}function ${one}(${parameter()}) {` +
        ` ${block()} return ${expression()} }\n`,
      () => `class ${one} { x = ${expression()}; m() { ${block()} } }\n`,
    ])();
  }

  function statement(): string {
    return nested([
      declaration,
      declaration,
      declaration,
      log,
      log,
      () => `;log(${NAMES.map((one) => `typeof ${one}`).join()})${end()}`,
      () => `if (${expression()}) { ${block()} } else ${log()}\n`,
      () => `for (${pick(["let", "const"])} ${name()} of [1]) { ${block()} }\n`,
      () => `for (var ${name()}3 of [1, 2]) { ${block()} }\n`,
      () => `for (${pick([name(), target()])} of [[1], {}]) ${log()}\n`,
      () => `for (let ${name()} = 0, z = 0; z < 2; z++) { ${block()} }\n`,
      () => `try { ${block()} } catch (${name()}) { ${block()} }\n`,
      () => `try { ${block()} } catch ({ name: ${name()} }) { ${block()} }\n`,
      () => `try { ${block()} } catch { ${block()} } finally { ${block()} }\n`,
      () =>
        `switch (${expression()}) { case 1: ${block()} default: ${log()} }\n`,
      () => `${name()}: { ${block()} }\n`,
      () => `do { ${block()} } while (false)\n`,
      () => `;(${target()} = ${expression()})${end()}`,
      () => `${name()} = ${expression()}${end()}`,
    ], () => `${name()} = 1;\n`);
  }

  return { statement, undeclared };
}
