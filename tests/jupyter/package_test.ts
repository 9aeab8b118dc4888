/** The built package: its types for an old TypeScript, its modules for Node. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import type typescript from "typescript";
import { buildPackage, packageFolder } from "../../tools/package.ts";
import { forOldTypeScript } from "../../tools/package_types.ts";
import { startKernel } from "./client.ts";
import { tslabKernel } from "./kernels.ts";

const require = createRequire(import.meta.url);
const requireOfTslab = createRequire(require.resolve("tslab"));

/** The fork of TypeScript 5.0 that tslab checks cells with. */
const old: typeof typescript = requireOfTslab(
  "@tslab/typescript-for-tslab",
);

function declarationFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return declarationFiles(path);
    return name.endsWith(".d.ts") ? [path] : [];
  });
}

/** It draws into a document of linkedom; no cell calls it. */
const NEEDS_DOM = "show/plot_svg.d.ts";

/** tslab does not report errors in a `.d.ts`: there, a wrong type is `any`. */
Deno.test("TypeScript 5.0 without DOM accepts each .d.ts of the package", async () => {
  await buildPackage();
  const files = declarationFiles(packageFolder);
  const program = old.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    types: [],
    lib: ["lib.es2022.d.ts"],
    target: old.ScriptTarget.ES2022,
    module: old.ModuleKind.ESNext,
    moduleResolution: old.ModuleResolutionKind.Node10,
  });
  const errors = old.getPreEmitDiagnostics(program).flatMap((one) => {
    const path = relative(packageFolder, one.file?.fileName ?? "");
    if (path.startsWith("..") || path === NEEDS_DOM) return [];
    return [
      `${path}: ${old.flattenDiagnosticMessageText(one.messageText, "\n")}`,
    ];
  });
  assert.notEqual(files.length, 0);
  assert.deepEqual(errors, []);
});

/** It is in node_modules of the project, where tslab finds it too. */
Deno.test("Plot is the only library whose types the package names", async () => {
  await buildPackage();
  const named = declarationFiles(packageFolder).flatMap((path) =>
    old.preProcessFile(Deno.readTextFileSync(path)).importedFiles
      .map((file) => file.fileName)
      .filter((name) => !name.startsWith("."))
  );
  assert.deepEqual([...new Set(named)], ["@observablehq/plot"]);
});

Deno.test("tslab takes every spelling of a module, and checks the types", async () => {
  await buildPackage();
  await using kernel = await startKernel(tslabKernel());
  const spellings = await kernel.execute(
    `import { SimError } from "swaplab";
     import { SimError as withEnding } from "swaplab/base/bug.ts";
     import { SimError as withoutEnding } from "swaplab/base/bug";
     SimError === withEnding && SimError === withoutEnding`,
  );
  assert.deepEqual(spellings.outputs, [
    { output_type: "stream", name: "stdout", text: "true\n" },
  ]);
  const wrong = await kernel.execute(
    `import { makeMachine } from "swaplab";
     const machine = makeMachine({ frames: "many" });`,
  );
  assert.equal(wrong.status, "error");
  const [output] = wrong.outputs;
  assert.match(
    output?.output_type === "stream" ? output.text : "",
    /^2:\d+ - Type 'string' is not assignable to type 'number'\.\n$/,
  );
});

Deno.test("buildPackage() builds if what is there was made of another lib/", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "package-" });
  const folder = join(parent, "swaplab");
  const manifest = join(folder, "package.json");
  mkdirSync(folder);
  Deno.writeTextFileSync(manifest, `{"sourceHash":"of another lib"}`);
  assert.equal(await buildPackage({ folder }), true);
  assert.match(Deno.readTextFileSync(manifest), /"name": "swaplab"/);
  assert.equal(await buildPackage({ folder }), false);
  const names = [...Deno.readDirSync(parent)].map((entry) => entry.name);
  assert.deepEqual(names.sort(), ["@types", "swaplab"]);
  Deno.removeSync(parent, { recursive: true });
});

Deno.test("the package brings no library along and asks for none", async () => {
  await buildPackage();
  const node = new Deno.Command("node", {
    args: ["-e", `console.log(Object.keys(require("swaplab")).join())`],
    cwd: dirname(dirname(packageFolder)),
  });
  const { stdout } = await node.output();
  assert.match(new TextDecoder().decode(stdout), /\bmakeMachine\b/);
  const built = Deno.readTextFileSync(join(packageFolder, "package.json"));
  assert.equal("dependencies" in JSON.parse(built), false);
});

Deno.test("forOldTypeScript() says new types in old words", () => {
  const pairs = [
    [`import("./a.ts").A`, `import("./a.js").A`],
    [`from "../mm/b.ts";`, `from "../mm/b.js";`],
    [`Uint8Array<ArrayBuffer>[]`, `Uint8Array[]`],
    [`BigUint64Array<ArrayBufferLike>`, `BigUint64Array`],
    [`ReadonlyArray<ArrayBuffer>`, `ReadonlyArray<ArrayBuffer>`],
    [`MapIterator<[number, T]>`, `IterableIterator<[number, T]>`],
    [`"plain.ts"`, `"plain.ts"`],
  ] as const;
  for (const [text, wanted] of pairs) {
    assert.equal(forOldTypeScript(text), wanted);
  }
});
