/**
 * One compiler, four hosts: every notebook in each of them gives what is
 * stored. At the end the table notebook × host is printed, and in words what
 * Deno's own kernel lost; that is no failure.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { type Host, makeHosts, type Verdict } from "./hosts.ts";
import { notebookPaths } from "./kernels.ts";

const paths = notebookPaths();
const hosts = makeHosts(paths);

/** Name of a notebook to its verdicts, by host. */
const table = new Map<string, Map<string, Verdict>>();

Deno.test.afterAll(async () => {
  for (const host of hosts) await host.close();
});

for (const path of paths) {
  const name = basename(path, ".ipynb");
  Deno.test({
    name: `${name} gives the same in every host`,
    // The browser outlives each test, so Deno's own leak checks are off.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async (test) => {
      const row = await verdictsOf(path);
      table.set(name, row);
      for (const host of hosts.filter(({ isExact }) => isExact)) {
        await test.step({
          name: host.missing === null
            ? host.name
            : `${host.name} (ignored: ${host.missing})`,
          ignore: host.missing !== null,
          fn: () => assertSame(row.get(host.name)),
        });
      }
    },
  });
}

Deno.test("the table notebook × host is whole", () => {
  assert.equal(table.size, paths.length);
  console.log(tableText());
});

/** Two hosts at a time: each wants a core of its own. */
async function verdictsOf(path: string): Promise<Map<string, Verdict>> {
  const row = new Map<string, Verdict>();
  const [first, ...others] = hosts.filter(({ missing }) => missing === null);
  const run = async (host: Host) => {
    row.set(host.name, await verdictOf(host, path));
  };
  // The runner shares this process, so nothing may happen beside it.
  await run(first!);
  for (let at = 0; at < others.length; at += 2) {
    await Promise.all(others.slice(at, at + 2).map(run));
  }
  return row;
}

async function verdictOf(host: Host, path: string): Promise<Verdict> {
  try {
    return await host.run(path);
  } catch (error) {
    if (host.isExact) throw error;
    return { cells: 0, faults: [`it gave up: ${error}`] };
  }
}

function assertSame(verdict: Verdict | undefined): void {
  assert.notEqual(verdict?.cells, 0);
  assert.equal(verdict?.faults.join("\n\n"), "");
}

function tableText(): string {
  const head = ["notebook", ...hosts.map(({ name }) => name)];
  const rows = [...table].map(([name, row]) => [
    name,
    ...hosts.map((host) => cellText(host, row.get(host.name))),
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, at) =>
    Math.max(...all.map((row) => row[at]!.length))
  );
  const lines = all.map((row) =>
    row.map((text, at) => text.padEnd(widths[at]!)).join("  ").trimEnd()
  );
  return [...lines, ...missingText(), ...lossText()].join("\n");
}

function cellText(host: Host, verdict: Verdict | undefined): string {
  if (host.missing !== null) return "not here";
  if (verdict === undefined) return "?";
  const { cells, faults } = verdict;
  return faults.length === 0 ? `${cells} same` : `${faults.length} differ`;
}

function missingText(): string[] {
  return hosts.flatMap(({ name, missing }) =>
    missing === null ? [] : [`${name} is not here: ${missing}.`]
  );
}

function lossText(): string[] {
  return hosts.filter(({ isExact }) => !isExact).flatMap(({ name }) =>
    [...table].flatMap(([notebook, row]) => {
      const faults = row.get(name)?.faults ?? [];
      return faults.length === 0
        ? []
        : [`${notebook} in ${name}: ${faults.join("; ")}.`];
    })
  );
}
