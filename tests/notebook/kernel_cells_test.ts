/** The keeper of the state, with a stand-in for TypeScript. 2 s. */
import assert from "node:assert/strict";
import process from "node:process";
import {
  type CellRunner,
  makeCellRunner,
} from "../../lib/notebook/kernel_cells.ts";
import type { CellEvent } from "../../lib/notebook/kernel_frames.ts";
import { type Types, TypesEnded } from "../../lib/notebook/kernel_types.ts";

const TYPES: Types = {
  check: () => Promise.resolve({ error: null, changed: [] }),
  add: () => {},
  complete: () => Promise.resolve(null),
  inspect: () => Promise.resolve(null),
  stop: () => {},
};

/** What a cell puts out, as text; `onStart` when it has begun to wait. */
async function run(cells: CellRunner, source: string): Promise<string> {
  const events: CellEvent[] = [];
  const request = { id: "c", source, expressions: {}, isUnchecked: false };
  await cells.run(request, (more) => {
    events.push(...more);
    return Promise.resolve();
  });
  return events.map((event) => {
    if (event.event !== "output") return event.event;
    const { output } = event;
    if (output.output_type === "error") return `${output.traceback[0]}\n`;
    if (output.output_type === "stream") return output.text;
    return `${output.data["text/plain"]}\n`;
  }).join("");
}

async function withCells(
  types: Partial<Types>,
  work: (cells: CellRunner) => Promise<void>,
): Promise<void> {
  const options = { cwd: process.cwd(), memoryMiB: 256 };
  const cells = makeCellRunner(options, { ...TYPES, ...types });
  try {
    await work(cells);
  } finally {
    await cells.close();
  }
}

Deno.test("an interrupt ends a type check without end, and no more", async () => {
  const asked = Promise.withResolvers<void>();
  let isStopped = false;
  const check: Types["check"] = (_id, source) => {
    if (source !== "slow") return TYPES.check("", "", false);
    asked.resolve();
    return new Promise(() => {});
  };
  const stop = () => void (isStopped = true);
  await withCells({ check, stop }, async (cells) => {
    await run(cells, "let n = 1");
    const slow = run(cells, "slow");
    await asked.promise;
    cells.interrupt();
    assert.equal(await slow, "Interrupted: the cell was interrupted\n");
    assert.equal(isStopped, true);
    assert.equal(await run(cells, "n"), "1\n");
  });
});

Deno.test("a cell runs unchecked when TypeScript gives no verdict", async () => {
  const check = () => Promise.reject(new TypesEnded("it ended"));
  await withCells({ check }, async (cells) => {
    const told = "swaplab: types are not checked this time: it ended\n";
    assert.equal(await run(cells, "1 + 1"), `${told}2\n`);
  });
});

Deno.test("only what has run is told to TypeScript, in order", async () => {
  const added: string[] = [];
  const add = (source: string) => void added.push(source);
  await withCells({ add }, async (cells) => {
    await run(cells, "let a = 1");
    await run(cells, "Deno.exit(3)");
    await run(cells, "throw 1");
    await run(cells, " ");
    assert.deepEqual(added, ["let a = 1", "throw 1"]);
  });
});

Deno.test("an interrupt while no cell runs does nothing", async () => {
  await withCells({}, async (cells) => {
    cells.interrupt();
    assert.equal(await run(cells, "'on'"), "'on'\n");
  });
});
