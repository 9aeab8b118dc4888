/**
 * The client of a page: makes every cell editable and runnable. Without it the
 * page is complete to read. Loaded as a deferred classic script, so that it
 * works from file://.
 */

import { type CellView, makeCellView, part } from "./cell_view.ts";
import { type Chain, makeChain } from "./chain.ts";
import { isRaceHash, openRace } from "./race_panel.ts";
import { loadScript, makeRunner, type Runner } from "./runner.ts";
import { makeStore } from "./store.ts";
import { strings } from "./strings.ts";
import { startTheme } from "./theme.ts";

/** Made when the first race is opened. */
let raceRunner: Runner | null = null;

function startPage(): void {
  startTheme();
  openForPrint();
  startCells();
  freeScrollers();
  followAddress();
  addEventListener("hashchange", followAddress);
  addEventListener("resize", freeScrollers);
  document.addEventListener("swaplab:ran", freeScrollers);
  document.addEventListener("toggle", freeScrollers, { capture: true });
}

function startCells(): void {
  const elements = [
    ...document.querySelectorAll<HTMLElement>(".cell[data-live]"),
  ];
  if (elements.length === 0) return;
  const runner = makeRunner(loadScript);
  const store = makeStore(`swaplab:${document.body.dataset.page}:`);
  const views: CellView[] = [];
  const chain = makeChain(views, runner);
  const actions = {
    run: chain.run,
    stop: chain.stop,
    reset: (view: CellView) => {
      view.reset();
      view.tell("idle", strings.original);
    },
  };
  for (const element of elements) {
    views.push(makeCellView(element, store, actions));
  }
  startPageTools(views, chain);
  prepareSoon(elements, runner);
}

function startPageTools(views: readonly CellView[], chain: Chain): void {
  const status = part(document, "#page-status");
  const tell = (line: string) => status.textContent = line;
  const on = (name: string, act: () => void) =>
    part(document, `[data-page-do=${name}]`).addEventListener("click", act);
  on("run", () => chain.runAll(tell));
  on("stop", () => {
    chain.stop();
    tell(strings.pageStopped);
  });
  on("reset", () => {
    chain.stop();
    for (const view of views) {
      view.reset();
      view.tell("idle", "");
    }
    tell(strings.pageReset);
  });
}

/** The engine comes when the reader turns to a cell, or when all is quiet. */
function prepareSoon(elements: readonly HTMLElement[], runner: Runner): void {
  const prepare = () => runner.prepare();
  for (const element of elements) {
    element.addEventListener("pointerenter", prepare, { once: true });
    element.addEventListener("focusin", prepare, { once: true });
  }
  if (typeof requestIdleCallback !== "function") return;
  const scripts = ["runtime", ...document.body.dataset.parts?.split(" ") ?? []];
  requestIdleCallback(async () => {
    for (const name of scripts) await loadScript(name).catch(() => {});
  });
}

/** An address that names a cell takes the keyboard there; a race opens. */
function followAddress(): void {
  if (isRaceHash(location.hash)) {
    raceRunner ??= makeRunner(loadScript);
    return void openRace(location.hash, raceRunner);
  }
  const id = decodeURIComponent(location.hash.slice(1));
  const cell = id === "" ? null : document.getElementById(id);
  if (cell === null || !cell.classList.contains("cell")) return;
  cell.tabIndex = -1;
  cell.focus();
}

/** A box that need not scroll is no stop for the Tab key and no landmark. */
function freeScrollers(): void {
  const boxes = document.querySelectorAll<HTMLElement>(".wide");
  for (const box of boxes) {
    if (box.querySelector("textarea") !== null) continue;
    const scrolls = box.scrollWidth > box.clientWidth;
    if (scrolls) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
    box.setAttribute("role", scrolls ? "region" : "group");
  }
}

/** Paper cannot be clicked: folded parts are printed open. */
function openForPrint(): void {
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });
}

startPage();
