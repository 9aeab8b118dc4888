/** `deno task notebooks` and `sync`, on folders of their own. */
import assert from "node:assert/strict";
import { main } from "swaplab/notebook/cli.ts";

const FRONT = "---\nkernelspec:\n  name: swaplab\n  display_name: Swaplab\n" +
  "  language: typescript\n---\n";

function code(id: string, source: string, tags = ""): string {
  const line = tags === "" ? "" : `:tags: [${tags}]\n`;
  return `\`\`\`{code-cell} typescript\n:id: ${id}\n${line}${source}\n\`\`\`\n\n`;
}

/** A folder with notebooks/ of its own; removed after the test. */
async function withProject(
  files: Record<string, string>,
  test: (
    root: string,
    run: (...args: string[]) => Promise<[number, string]>,
  ) => Promise<void>,
) {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/notebooks`);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${root}/notebooks/${name}`, text);
    }
    await test(root, async (...args) => {
      const told: string[] = [];
      const isBuild = args[0] !== "sync" && !args.includes("--types-on");
      const given = args.filter((arg) => arg !== "--types-on");
      const exitCode = await main(
        isBuild ? [...given, "--types-off"] : given,
        root,
        (line) => told.push(line),
      );
      return [exitCode, told.join("\n")];
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const GOOD = {
  "00_good.md": FRONT + "# Good\n\n" + code("a", "console.log(5)"),
};

Deno.test("main() builds, then leaves alone, then builds what changed", async () => {
  await withProject(GOOD, async (root, run) => {
    const file = `${root}/notebooks/00_good.ipynb`;
    assert.deepEqual(await run(), [0, "00_good: written"]);
    const first = await Deno.readTextFile(file);
    assert.match(first, /"5\\n"/);
    assert.deepEqual(await run(), [0, ""]);
    const source = GOOD["00_good.md"].replace("(5)", "(6)");
    await Deno.writeTextFile(`${root}/notebooks/00_good.md`, source);
    assert.deepEqual(await run("00_good"), [0, "00_good: written"]);
    assert.match(await Deno.readTextFile(file), /"6\\n"/);
    await Deno.remove(`${root}/.cache`, { recursive: true });
    assert.deepEqual(await run(), [0, "00_good: unchanged"]);
  });
});

Deno.test("main() mends a built file that somebody changed", async () => {
  await withProject(GOOD, async (root, run) => {
    const file = `${root}/notebooks/00_good.ipynb`;
    await run();
    const built = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, built.replace("5\\n", "7\\n"));
    assert.deepEqual(await run(), [0, "00_good: written"]);
    assert.equal(await Deno.readTextFile(file), built);
  });
});

Deno.test("main() --check fails on any byte and writes nothing", async () => {
  await withProject(GOOD, async (root, run) => {
    const file = `${root}/notebooks/00_good.ipynb`;
    const [missing, why] = await run("--check");
    assert.equal(missing, 1);
    assert.match(why, /00_good.ipynb is not there; run: deno task notebooks/);
    await run();
    const built = await Deno.readTextFile(file);
    assert.deepEqual(await run("--check"), [0, "00_good: as built"]);

    const stale = built.replace('"5\\n"', '"7\\n"');
    await Deno.writeTextFile(file, stale);
    const [exitCode, told] = await run("--check");
    assert.equal(exitCode, 1);
    assert.match(told, /cell a, output:\n {4}\[stdout\]\n {2}- 7\n {2}\+ 5/);
    assert.equal(await Deno.readTextFile(file), stale);

    await Deno.writeTextFile(file, `${built} `);
    assert.match((await run("--check"))[1], /same content, written in another/);
    await Deno.writeTextFile(file, "{");
    const [broken, cause] = await run("--check");
    assert.equal(broken, 1);
    assert.match(cause, /the file cannot be read/);
  });
});

Deno.test("main() reports a bad notebook and builds the others", async () => {
  const files = {
    ...GOOD,
    "01_throws.md": FRONT + code("bad", "1\nthrow new Error('no')"),
    "02_unread.md": FRONT + "```{code-cell} typescript\n",
  };
  await withProject(files, async (root, run) => {
    const [exitCode, told] = await run();
    assert.equal(exitCode, 1);
    assert.match(told, /00_good: written/);
    assert.match(told, /notebooks\/01_throws.md:10: cell bad failed/);
    assert.match(told, /notebooks\/02_unread.md:7: this fence is not closed/);
    const names = [...Deno.readDirSync(`${root}/notebooks`)].map((e) => e.name);
    assert.deepEqual(names.filter((name) => name.endsWith(".ipynb")), [
      "00_good.ipynb",
    ]);
  });
});

Deno.test("main() refuses a cell with wrong types, unless it is tagged", async () => {
  const text = (tags: string) =>
    FRONT + code("a", "const n = 1;") + code("b", "const s: string = n;", tags);
  await withProject({ "00_wrong.md": text("") }, async (root, run) => {
    const [exitCode, told] = await run("--types-on");
    assert.equal(exitCode, 1);
    const line = text("").split("\n").indexOf("const s: string = n;") + 1;
    assert.ok(told.startsWith(`notebooks/00_wrong.md:${line}: cell b has wro`));
    assert.match(told, /Type 'number' is not assignable to type 'string'/);
    const md = `${root}/notebooks/00_wrong.md`;
    await Deno.writeTextFile(md, text("types-off"));
    assert.deepEqual(await run("--types-on"), [0, "00_wrong: written"]);
  });
});

Deno.test("main() refuses options and names that it does not know", async () => {
  await withProject(GOOD, async (_, run) => {
    assert.deepEqual(await run("--chek"), [
      2,
      "unknown option --chek\nusage: deno task notebooks [NAME...] " +
      "[--check | --discard] [--types-off]\n" +
      "       deno task notebooks sync [NAME...]",
    ]);
    assert.deepEqual(await run("00_god"), [
      2,
      "no notebook 00_god; did you mean 00_good?",
    ]);
    assert.equal((await run("--help"))[0], 0);
    assert.equal((await run("notebooks/00_good.md"))[0], 0);
  });
});

/** What Jupyter does: read, edit, save in its own form. */
async function inJupyter(
  file: string,
  edit: (notebook: { cells: Record<string, unknown>[] }) => void,
): Promise<void> {
  const notebook = JSON.parse(await Deno.readTextFile(file));
  edit(notebook);
  notebook.metadata.language_info.version = "5.0";
  await Deno.writeTextFile(file, JSON.stringify(notebook));
}

Deno.test("sync carries Jupyter's edits over, then both are built alike", async () => {
  await withProject(GOOD, async (root, run) => {
    const [md, file] = [
      `${root}/notebooks/00_good.md`,
      `${root}/notebooks/00_good.ipynb`,
    ];
    await run();
    assert.deepEqual(await run("sync"), [0, "00_good: nothing to carry over"]);
    await inJupyter(file, ({ cells }) => {
      Object.assign(cells[1]!, { source: ["console.log(6)\n", "7"] });
      const more = { metadata: {}, source: "draw()", outputs: [] };
      const cell = { cell_type: "code", id: "c0ffee00", execution_count: null };
      cells.push({ ...cell, ...more });
    });
    const edited = await Deno.readTextFile(file);
    const [refused, why] = await run();
    assert.equal(refused, 1);
    assert.match(
      why,
      /00_good.ipynb was changed in Jupyter: 1 cell changed \(a\)/,
    );
    assert.match(
      why,
      /1 cell new \(draw\)\n.*sync 00_good\n.*00_good --discard/,
    );
    assert.equal(await Deno.readTextFile(file), edited);

    assert.deepEqual(await run("sync", "00_good"), [
      0,
      "00_good: 1 cell changed (a); 1 cell new (draw); " +
      "now run: deno task notebooks 00_good",
    ]);
    const source = GOOD["00_good.md"].replace("log(5)", "log(6)\n7") +
      code("draw", "draw()").trimEnd() + "\n\n";
    assert.equal(await Deno.readTextFile(md), source);
    assert.deepEqual(await run("sync"), [0, "00_good: nothing to carry over"]);
    // The ids are in both files, although the new cell does not run yet.
    assert.match((await run())[1], /cell draw failed/);
    assert.deepEqual(await run("sync"), [0, "00_good: nothing to carry over"]);
    await Deno.writeTextFile(md, source.replace("draw()", "8"));
    assert.deepEqual(await run(), [0, "00_good: written"]);
    assert.equal((await run("--check"))[0], 0);
  });
});

Deno.test("sync refuses what both changed and writes nothing", async () => {
  await withProject(GOOD, async (root, run) => {
    const [md, file] = [
      `${root}/notebooks/00_good.md`,
      `${root}/notebooks/00_good.ipynb`,
    ];
    await run();
    await inJupyter(
      file,
      ({ cells }) => Object.assign(cells[1]!, { source: "6" }),
    );
    const source = GOOD["00_good.md"].replace("(5)", "(8)");
    await Deno.writeTextFile(md, source);
    const edited = await Deno.readTextFile(file);
    for (const args of [["sync"], []]) {
      const [exitCode, told] = await run(...args);
      assert.equal(exitCode, 1);
      assert.match(told, /00_good.md: cell a was changed here and, otherwise/);
    }
    assert.equal(await Deno.readTextFile(md), source);
    assert.equal(await Deno.readTextFile(file), edited);
    assert.deepEqual(await run("--discard"), [0, "00_good: written"]);
    assert.match(await Deno.readTextFile(file), /"8\\n"/);
  });
});

Deno.test("sync refuses raw cells, pasted pictures and what is no notebook", async () => {
  await withProject(GOOD, async (root, run) => {
    const file = `${root}/notebooks/00_good.ipynb`;
    await run();
    const built = await Deno.readTextFile(file);
    const refuses = async (why: RegExp) => {
      const [exitCode, told] = await run("sync");
      assert.equal(exitCode, 1);
      assert.match(told, why);
      await Deno.writeTextFile(file, built);
    };
    await inJupyter(
      file,
      ({ cells }) => Object.assign(cells[0]!, { cell_type: "raw" }),
    );
    await refuses(/00_good.ipynb: cell good is raw; make it Markdown or code/);
    await inJupyter(
      file,
      ({ cells }) => Object.assign(cells[0]!, { attachments: { "a.png": {} } }),
    );
    await refuses(/cell good has a.png pasted into it; save it as a file/);
    await Deno.writeTextFile(file, "{");
    await refuses(/notebooks\/00_good.ipynb: /);
  });
});

Deno.test("sync makes the source of a notebook that has none", async () => {
  await withProject(GOOD, async (root, run) => {
    await run();
    const from = `${root}/notebooks/00_good`;
    await Deno.rename(`${from}.ipynb`, `${root}/notebooks/01_new.ipynb`);
    const [exitCode, told] = await run("sync", "01_new");
    assert.equal(exitCode, 0);
    assert.match(told, /^01_new: 2 cells new \(good, a\); now run: /);
    // What Jupyter had as outputs came along.
    assert.deepEqual(await run("01_new"), [0, "01_new: unchanged"]);
  });
});
