/**
 * The panel of a race: an address such as
 *
 *     09_reading_a_race.html#race=sync-swapin-aba&variant=no+pin&schedule=A9B
 *
 * opens it, on every page; it makes that run on the engine and shows what came
 * of it, the run as a picture, and as a diagram for a mail. The schedule can be
 * changed and made again. It has a worker of its own, so that the page's cells
 * do not notice.
 */

import { part } from "./cell_view.ts";
import { renderOutputs } from "./outputs.ts";
import type { Runner } from "./runner.ts";
import { strings } from "./strings.ts";

/** isRaceHash() - does an address, from its # on, ask for a race? */
export function isRaceHash(hash: string): boolean {
  return hash.startsWith("#race=");
}

/** What runs: as if it stood in a cell. */
function sourceFor(hash: string): string {
  return `import { raceAt } from "swaplab/lab/race_address.ts";
import { raceText } from "swaplab/lab/race_text.ts";
import { raceFigure } from "swaplab/show/race_figure.ts";
const report = raceAt(${JSON.stringify(hash)});
console.log(raceText(report));
raceFigure(report)
`;
}

const html = `<h2 id="race-title" tabindex="-1"></h2>
<form class="tools">
<label for="race-schedule">${strings.schedule}</label>
<input id="race-schedule" name="schedule" autocomplete="off"
autocapitalize="characters" spellcheck="false">
<button>${strings.replay}</button>
<button type="button" data-do="close">${strings.close}</button>
</form>
<p class="status" role="status"></p>
<div class="outputs"></div>`;

/**
 * openRace() - show the race that the address asks for; a panel that is open
 * already is used again.
 */
export async function openRace(hash: string, runner: Runner): Promise<void> {
  const panel = document.getElementById("race-panel") ?? makePanel(runner);
  const fields = new URLSearchParams(hash.slice(1));
  const variant = fields.get("variant") ?? "v6.12";
  const title = part(panel, "h2");
  title.textContent = strings.race(fields.get("race") ?? "", variant);
  part<HTMLInputElement>(panel, "input").value = fields.get("schedule") ?? "";
  panel.scrollIntoView();
  title.focus();
  await makeRun(panel, hash, runner);
}

async function makeRun(
  panel: HTMLElement,
  hash: string,
  runner: Runner,
): Promise<void> {
  const outputs = part(panel, ".outputs");
  const tell = (state: string, line: string) => {
    panel.dataset.state = state;
    part(panel, ".status").textContent = line;
  };
  runner.stop();
  outputs.innerHTML = "";
  tell("running", strings.running);
  const ran = await runner.run("race", sourceFor(hash), () => {});
  // Another address has come meanwhile.
  if (ran.how === "stopped") return;
  if (ran.how === "broken") return tell("failed", strings.broken(ran.reason));
  const fault = ran.outputs.find((one) => one.output_type === "error");
  if (fault !== undefined) return tell("failed", fault.evalue);
  outputs.innerHTML = renderOutputs(ran.outputs, "race");
  tell("done", strings.done);
}

function makePanel(runner: Runner): HTMLElement {
  const panel = document.createElement("section");
  panel.id = "race-panel";
  panel.className = "race";
  panel.setAttribute("aria-labelledby", "race-title");
  panel.innerHTML = html;
  const form = part<HTMLFormElement>(panel, "form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = new URLSearchParams(location.hash.slice(1));
    const schedule = part<HTMLInputElement>(form, "input").value.trim();
    if (schedule === "") fields.delete("schedule");
    else fields.set("schedule", schedule);
    const hash = `#${fields}`;
    if (hash === location.hash) void makeRun(panel, hash, runner);
    else location.hash = hash;
  });
  part(form, "[data-do=close]").addEventListener("click", () => {
    runner.stop();
    panel.remove();
    history.replaceState(null, "", location.pathname + location.search);
  });
  part(document, "main").before(panel);
  return panel;
}
