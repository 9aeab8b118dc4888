/**
 * The site that the browser tests open: the fixture and every built chapter of
 * the project, built afresh into a folder that goes away.
 */

import assert from "node:assert/strict";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import type {
  Browser,
  BrowserContextOptions,
  Locator,
  Page,
} from "playwright-core";
import type { Notebook, Output } from "swaplab/notebook/nbformat.ts";
import { parseNotebook } from "swaplab/notebook/read.ts";
import { buildBook } from "../../book/build.ts";
import { serveFolder } from "../../book/site.ts";
import { folders } from "../../book/stamp.ts";
import { launchBrowser } from "./browser.ts";
import { execute, makeFixture } from "./fixtures/notebook.ts";

/** A page that works hard, on a machine that does too. */
const RUN_TIMEOUT_MS = 180_000;

/** The name of the fixture's page. */
export const FIXTURE = "90_fixture";

export interface Site {
  /** Page name to the notebook that it was built from. */
  notebooks: Map<string, Notebook>;
  /** Addresses of the site's folder, with a slash at the end. */
  bases: { http: string; file: string };
  browser: Browser;
  close(): Promise<void>;
}

/**
 * openSite() - build, serve, and start a browser.
 *
 * @param paths of the notebooks that get a page; else the project's
 */
export async function openSite(
  paths: readonly string[] = chapterPaths(),
): Promise<Site> {
  const browser = await launchBrowser();
  const folder = Deno.makeTempDirSync({ prefix: "swaplab-book-" });
  const notebooks = `${folder}/notebooks`;
  const out = `${folder}/out`;
  Deno.mkdirSync(notebooks);
  const chapters = await writeNotebooks(notebooks, paths);
  await buildBook({ notebooks, out }, () => {});
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, (request) => serveFolder(out, request));
  return {
    notebooks: chapters,
    bases: {
      http: `http://127.0.0.1:${server.addr.port}/`,
      file: `${pathToFileURL(out).href}/`,
    },
    browser,
    close: async () => {
      await browser.close();
      await server.shutdown();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** Writes what the site is built from; the notebooks by the name of a page. */
async function writeNotebooks(
  folder: string,
  paths: readonly string[],
): Promise<Map<string, Notebook>> {
  const fixture = makeFixture();
  await execute(fixture);
  const all = new Map([[FIXTURE, fixture]]);
  Deno.writeTextFileSync(`${folder}/${FIXTURE}.ipynb`, JSON.stringify(fixture));
  for (const path of paths) {
    const name = basename(path);
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    all.set(name.replace(/\.ipynb$/, ""), parseNotebook(text, name));
  }
  return all;
}

function chapterPaths(): string[] {
  return [...Deno.readDirSync(folders.notebooks)]
    .filter(({ name }) => /^\d\d_\w+\.ipynb$/.test(name))
    .map(({ name }) => `${folders.notebooks}/${name}`);
}

/** outputsHtml() - what a page shows as outputs, cell by cell. */
export async function outputsHtml(page: Page): Promise<string[]> {
  // How a box scrolls depends on the window, not on the output.
  const all = await page.locator(".outputs").evaluateAll((them) =>
    them.map((it) => it.innerHTML)
  );
  return all.map((html) =>
    html.replace(/ (role="(region|group)"|tabindex="0")/g, "")
  );
}

/**
 * withPage() - open an address in a context of its own. Any error that the
 * page does not catch, and any request to another place, fails the test.
 */
export async function withPage(
  site: Site,
  address: string,
  use: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await site.browser.newContext(options);
  const faults: string[] = [];
  const isOurs = (url: string) =>
    [site.bases.http, site.bases.file, "blob:", "data:"]
      .some((start) => url.startsWith(start));
  context.on("request", (request) => {
    if (!isOurs(request.url())) faults.push(`request to ${request.url()}`);
  });
  context.on("weberror", (error) => faults.push(String(error.error())));
  context.setDefaultTimeout(20_000);
  try {
    const page = await context.newPage();
    await page.goto(address);
    await use(page);
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
  }
}

/** cellOf() - a cell of the page by its id. */
export function cellOf(page: Page, id: string): Locator {
  return page.locator(`[id="${id}"]`);
}

/** press() - a cell's button. */
export async function press(
  cell: Locator,
  button: "run" | "stop" | "reset",
): Promise<void> {
  await cell.locator(`[data-do=${button}]`).click();
}

/** untilState() - wait until a cell says that it is done, failed, running … */
export async function untilState(cell: Locator, state: string): Promise<void> {
  const page = cell.page();
  const handle = await cell.elementHandle();
  await page.waitForFunction(
    ([element, wanted]) => element!.dataset.state === wanted,
    [handle as unknown as HTMLElement, state] as const,
  );
}

/** runPage() - Run all; the outputs of each cell as the page received them. */
export async function runPage(page: Page): Promise<Record<string, Output[]>> {
  await page.evaluate(() => {
    const seen: Record<string, unknown> = {};
    Object.assign(globalThis, { seen });
    document.addEventListener("swaplab:ran", (event) => {
      seen[(event.target as HTMLElement).id] = (event as CustomEvent).detail;
    });
  });
  await page.locator("[data-page-do=run]").click();
  const isOver = () =>
    /^(Done|Stopped)/.test(
      document.querySelector("#page-status")?.textContent ?? "",
    );
  await page.waitForFunction(isOver, undefined, { timeout: RUN_TIMEOUT_MS });
  const seen = await page.evaluate(() =>
    (globalThis as unknown as { seen: Record<string, unknown> }).seen
  );
  return seen as Record<string, Output[]>;
}
