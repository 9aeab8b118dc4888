/**
 * The places where a notebook is run: our runner, our kernel, the page, tslab,
 * and Deno's own kernel, which loses outputs and is only watched. Ours.
 */
import { basename } from "node:path";
import type { CodeCell, Output } from "../../lib/notebook/nbformat.ts";
import { projectLoader } from "../../lib/notebook/run.ts";
import { makeSession } from "../../lib/notebook/session.ts";
import { buildPackage } from "../../tools/package.ts";
import { withoutBrowser } from "../browser/browser.ts";
import {
  openSite,
  outputsHtml,
  runPage,
  type Site,
  withPage,
} from "../browser/site.ts";
import type { Execution, KernelSpec } from "./client.ts";
import { type Judge, losses, sameBytes, sameInTslab } from "./differences.ts";
import {
  denoKernel,
  runNotebook,
  swaplabKernel,
  tslabKernel,
} from "./kernels.ts";
import { readCodeCells } from "./notebook_file.ts";

export interface Host {
  name: string;
  /** Why it is not here; null if it is. */
  missing: string | null;
  /** False if its losses are told and are no failure. */
  isExact: boolean;
  /** Runs a notebook; what differs, each with the id of its cell. */
  run(path: string): Promise<Verdict>;
  /** To be called at the end. */
  close(): Promise<void>;
}

export interface Verdict {
  cells: number;
  faults: string[];
}

/** Our own runner, in this process, as `deno task notebooks` uses it. */
function runner(): Host {
  return host("runner", async (path) => {
    const session = makeSession({ load: projectLoader() });
    const all = [];
    for (const cell of await readCodeCells(path)) {
      const outputs = await session.run(cell.source, { id: cell.id });
      all.push({ cell, execution: executionOf(outputs) });
    }
    return verdict(all, sameBytes);
  });
}

function kernel(spec: KernelSpec, judge: Judge): Host {
  return host(spec.name, async (path) => {
    if (judge === sameInTslab) await buildPackage();
    const { cells, lateCount } = await runNotebook(path, spec);
    const { faults } = verdict(cells, judge);
    const late = lateCount === 0 ? [] : [`${lateCount} outputs came too late`];
    return { cells: cells.length, faults: [...faults, ...late] };
  });
}

/** A real browser; the book is read from the disk, without a server. */
function page(paths: readonly string[]): Host {
  let opened: Promise<Site> | null = null;
  const run = async (path: string): Promise<Verdict> => {
    opened ??= openSite(paths);
    const site = await opened;
    const stored = await readCodeCells(path);
    const name = basename(path, ".ipynb");
    let result: Verdict = { cells: stored.length, faults: [] };
    await withPage(site, `${site.bases.file}${name}.html`, async (tab) => {
      const built = await outputsHtml(tab);
      const seen = await runPage(tab);
      const all = stored.map((cell) => ({
        cell,
        execution: executionOf(seen[cell.id] ?? []),
      }));
      result = verdict(all, sameBytes);
      // What a fixture stores in part only is drawn otherwise.
      const isWhole = !path.includes("fixtures");
      const isDrawn = JSON.stringify(await outputsHtml(tab)) ===
        JSON.stringify(built);
      if (isWhole && !isDrawn) result.faults.push("outputs look otherwise");
    });
    return result;
  };
  return {
    ...host("page", run),
    missing: withoutBrowser ? "no browser (SWAPLAB_NO_BROWSER=1)" : null,
    close: async () => await (await opened)?.close(),
  };
}

function host(name: string, run: Host["run"]): Host {
  return { name, missing: null, isExact: true, run, close: async () => {} };
}

function isThere(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync()
      .success;
  } catch {
    return false;
  }
}

function executionOf(outputs: Output[]): Execution {
  const fails = outputs.some((one) => one.output_type === "error");
  return { status: fails ? "error" : "ok", executionCount: null, outputs };
}

function verdict(
  all: readonly { cell: CodeCell; execution: Execution }[],
  judge: Judge,
): Verdict {
  const faults = all.flatMap(({ cell, execution }) =>
    judge(cell, execution).map((fault) => `${cell.id}: ${fault}`)
  );
  return { cells: all.length, faults };
}

/** makeHosts() - all of them, for the notebooks at these paths. */
export function makeHosts(paths: readonly string[]): Host[] {
  return [
    runner(),
    kernel(swaplabKernel(), sameBytes),
    page(paths),
    {
      ...kernel(tslabKernel(), sameInTslab),
      missing: isThere("node") ? null : "no node on PATH",
    },
    { ...kernel(denoKernel(), losses), isExact: false },
  ];
}
