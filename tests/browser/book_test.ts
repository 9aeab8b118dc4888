/**
 * The book as a reader meets it: a fresh build in a real browser, over HTTP and
 * from the disk. One browser serves all tests.
 */

import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import {
  cellOf,
  FIXTURE,
  outputsHtml,
  press,
  runPage,
  untilState,
  withPage,
} from "./site.ts";
import { makeSuite } from "./suite.ts";

const { site, test } = makeSuite();

const WAYS = ["http", "file"] as const;

function fixture(way: "http" | "file" = "http"): string {
  return `${site().bases[way]}${FIXTURE}.html`;
}

for (const way of WAYS) {
  test(`page over ${way} is whole with scripts off`, async () => {
    for (const [name, notebook] of site().notebooks) {
      const address = `${site().bases[way]}${name}.html`;
      await withPage(site(), address, async (page) => {
        const text = await page.locator("main").innerText();
        assert.ok(text.length > 200, `${name} has prose`);
        assert.equal(await page.locator("button:visible").count(), 0);
        for (const cell of notebook.cells) {
          if (cell.cell_type === "markdown") continue;
          const code = cellOf(page, cell.id).locator(".code code");
          assert.equal(await code.textContent(), cell.source);
          const outputs = cellOf(page, cell.id).locator(".outputs > *");
          assert.equal(await outputs.count(), cell.outputs.length, cell.id);
        }
        await assertFiguresTold(page);
      }, { javaScriptEnabled: false });
    }
  });

  // The chapters' cells: tests/jupyter/matrix_test.ts.
  test(`all cells over ${way} give the notebook's outputs`, async () => {
    const notebook = site().notebooks.get(FIXTURE)!;
    await withPage(site(), fixture(way), async (page) => {
      const built = await outputsHtml(page);
      const seen = await runPage(page);
      for (const cell of notebook.cells) {
        if (cell.cell_type === "markdown") continue;
        assert.deepEqual(seen[cell.id], cell.outputs, cell.id);
      }
      assert.deepEqual(await outputsHtml(page), built);
    });
  });

  test(`Run over ${way} runs the cells above first and says so`, async () => {
    await withPage(site(), fixture(way), async (page) => {
      const cell = cellOf(page, "value");
      await press(cell, "run");
      await untilState(cell, "done");
      const status = await cell.locator(".status").innerText();
      assert.match(status, /Ran first.*: streams\.$/);
      assert.equal((await cell.locator(".outputs").innerText()).trim(), "42");
    });
  });
}

test("an edited cell runs by Control and Enter, and is kept", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "value");
    await cell.locator("textarea").fill("const base = 1000;\nbase * 2");
    await page.keyboard.press("Control+Enter");
    await untilState(cell, "done");
    assert.equal((await cell.locator(".outputs").innerText()).trim(), "2000");
    await page.reload();
    assert.match(await cell.locator("textarea").inputValue(), /base \* 2$/);
    assert.match(await cell.locator(".code code").innerText(), /base \* 2/);
  });
});

test("Reset brings back the cell's source and built output", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "value");
    const source = await cell.locator("textarea").inputValue();
    await cell.locator("textarea").fill("7");
    await page.keyboard.press("Shift+Enter");
    await untilState(cell, "done");
    assert.equal((await cell.locator(".outputs").innerText()).trim(), "7");
    await press(cell, "reset");
    assert.equal(await cell.locator("textarea").inputValue(), source);
    assert.equal((await cell.locator(".outputs").innerText()).trim(), "42");
    await page.reload();
    assert.equal(await cell.locator("textarea").inputValue(), source);
  });
});

test("Reset page brings every cell back", async () => {
  await withPage(site(), fixture(), async (page) => {
    const built = await outputsHtml(page);
    for (const id of ["streams", "last"]) {
      await cellOf(page, id).locator("textarea").fill(`"changed"`);
    }
    await press(cellOf(page, "streams"), "run");
    await untilState(cellOf(page, "streams"), "done");
    await page.locator("[data-page-do=reset]").click();
    assert.deepEqual(await outputsHtml(page), built);
    const last = cellOf(page, "last").locator("textarea");
    assert.match(await last.inputValue(), /^class Slot/);
  });
});

test("an error names the line of the cell, and cells below wait", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "streams");
    await cell.locator("textarea").fill("const one = 1;\n\nmissing(one);");
    await press(cell, "run");
    await untilState(cell, "failed");
    const error = await cell.locator(".error").innerText();
    assert.match(error, /ReferenceError: missing is not defined/);
    assert.match(error, /streams, line 3\b/);
    const below = cellOf(page, "value");
    await press(below, "run");
    await page.waitForFunction(() =>
      document.querySelector("#value .status")?.textContent
        ?.startsWith("Not run: streams")
    );
  });
});

test("an import of an unknown module is an error in words", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "streams");
    await cell.locator("textarea").fill(`import { x } from "left-pad";`);
    await press(cell, "run");
    await untilState(cell, "failed");
    const error = await cell.locator(".error").innerText();
    assert.match(error, /left-pad/);
  });
});

test("a part comes when a cell needs it; if not, in words", async () => {
  await withPage(site(), fixture(), async (page) => {
    await page.route("**/samples.js", (route) => route.abort(), { times: 1 });
    const cell = cellOf(page, "streams");
    await cell.locator("textarea").fill(
      `import { makePageSource } from "swaplab";
console.log(makePageSource("redis", 1).kindOf(0));`,
    );
    await press(cell, "run");
    await untilState(cell, "failed");
    const error = await cell.locator(".error").innerText();
    assert.match(error, /ImportError: samples\.js could not be loaded/);
    await press(cell, "run");
    await untilState(cell, "done");
  });
});

test("an endless loop: a hint after ten seconds, Stop, a new run", async () => {
  await withPage(site(), fixture(), async (page) => {
    await page.clock.install();
    await page.reload();
    const cell = cellOf(page, "value");
    const code = `console.log("begun");\nfor (;;) {}`;
    await cell.locator("textarea").fill(code);
    await press(cell, "run");
    await cell.locator(".outputs", { hasText: "begun" }).waitFor();
    assert.equal(await cell.locator(".status").innerText(), "Running …");
    await page.clock.fastForward(10_000);
    await cell.locator(".status", { hasText: "Still running" }).waitFor();
    await press(cell, "stop");
    await untilState(cell, "idle");
    const focused = () => document.activeElement?.getAttribute("data-do");
    assert.equal(await page.evaluate(focused), "run");
    const last = cellOf(page, "last");
    await press(cell, "reset");
    await press(last, "run");
    await untilState(last, "done");
    assert.equal((await last.locator(".outputs").innerText()).trim(), "80");
  });
});

test("the outcome of a prediction is folded until the cell has run", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "guess");
    assert.equal(await cell.locator(".outputs").isVisible(), false);
    await press(cell, "run");
    await untilState(cell, "done");
    assert.equal((await cell.locator(".outputs").innerText()).trim(), "42");
  });
});

test("a flood of output leaves the page alive and is cut", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "streams");
    const flood =
      `for (let n = 0; n < 40000; n++) console.log("x".repeat(99));`;
    await cell.locator("textarea").fill(flood);
    await press(cell, "run");
    await untilState(cell, "done");
    const status = await cell.locator(".status").innerText();
    assert.match(status, /More output than a page can hold/);
    const shown = await cell.locator(".outputs").textContent();
    assert.ok(shown!.length <= 1_000_000, `${shown!.length} characters`);
  });
});

test("the keyboard: Tab leaves the code, no letter is a shortcut", async () => {
  await withPage(site(), fixture(), async (page) => {
    const field = cellOf(page, "streams").locator("textarea");
    await field.focus();
    await page.keyboard.press("Tab");
    assert.equal(
      await field.evaluate((it) => it === document.activeElement),
      false,
    );
    const before = await page.locator("main").innerHTML();
    await page.locator("body").evaluate(() =>
      (document.activeElement as HTMLElement | null)?.blur()
    );
    await page.keyboard.type("jkhlrsn/?.");
    assert.equal(await page.locator("main").innerHTML(), before);
    assert.equal(page.url(), fixture());
  });
});

test("the field covers the code letter by letter and grows", async () => {
  await withPage(site(), fixture(), async (page) => {
    const cell = cellOf(page, "last");
    const height = () =>
      cell.locator(".code").evaluate((it) => it.clientHeight);
    const before = await height();
    const field = cell.locator("textarea");
    await field.press("Control+End");
    await field.press("Enter");
    assert.ok(await height() > before, "one more line");
    const sizes = await cell.locator(".sheet").evaluate((sheet) => {
      const area = sheet.querySelector("textarea")!;
      const code = sheet.querySelector("code")!;
      const font = (of: Element) => getComputedStyle(of).font;
      return {
        overflow: area.scrollHeight - area.clientHeight,
        fonts: [font(area), font(code)],
        tops: [area, code].map((it) => it.getBoundingClientRect().top),
      };
    });
    assert.ok(sizes.overflow <= 0, "nothing is cut off");
    assert.equal(sizes.fonts[0], sizes.fonts[1]);
    assert.equal(sizes.tops[0], sizes.tops[1]);
  });
});

test("colours follow the system, and the reader's choice stays", async () => {
  const paper = (page: Page) =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await withPage(site(), fixture(), async (page) => {
    const dark = await paper(page);
    await page.locator("#theme-toggle").click();
    const light = await paper(page);
    assert.notEqual(dark, light);
    await page.reload({ waitUntil: "commit" });
    await page.locator("body").waitFor();
    assert.equal(await paper(page), light);
  }, { colorScheme: "dark" });
});

test("paper is white and has no buttons, also for a dark reader", async () => {
  await withPage(site(), fixture(), async (page) => {
    await page.locator("#theme-toggle").click();
    await page.locator("#theme-toggle").click();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const color = await page.evaluate(() =>
      getComputedStyle(document.body).backgroundColor
    );
    assert.equal(color, "rgb(255, 255, 255)");
    assert.equal(await page.locator("button:visible").count(), 0);
    assert.equal(await page.locator("textarea:visible").count(), 0);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.equal(await page.locator("details:not([open])").count(), 0);
  }, { colorScheme: "dark" });
});

test("no page is wider than a telephone, a tablet or a desk", async () => {
  for (const name of pages()) {
    for (const width of [320, 390, 1280]) {
      await withPage(
        site(),
        `${site().bases.http}${name}.html`,
        async (page) => {
          const extra = await page.evaluate(() =>
            document.documentElement.scrollWidth - innerWidth
          );
          assert.ok(extra <= 0, `${name} at ${width} px: ${extra} px too wide`);
        },
        { viewport: { width, height: 800 } },
      );
    }
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds no fault in ${colorScheme} colours`, async () => {
    for (const name of pages()) {
      await withPage(
        site(),
        `${site().bases.http}${name}.html`,
        async (page) => {
          if (site().notebooks.has(name)) await runPage(page);
          assert.deepEqual(await faultsOf(page), [], name);
        },
        { colorScheme, viewport: { width: 390, height: 800 } },
      );
    }
  });
}

test("a cell's address leads to the cell", async () => {
  await withPage(site(), `${fixture()}#last`, async (page) => {
    const focused = () =>
      page.evaluate(() => document.activeElement?.closest(".cell")?.id);
    assert.equal(await focused(), "last");
    await cellOf(page, "value").locator(".permalink").click();
    assert.ok(page.url().endsWith("#value"));
  });
});

function pages(): string[] {
  return ["index", "names", "claims", ...site().notebooks.keys()];
}

/** Each drawing has a name and a description; each image a text. */
async function assertFiguresTold(page: Page): Promise<void> {
  const untold = await page.locator("main svg, main img").evaluateAll((them) =>
    them.filter((it) =>
      it.tagName === "IMG"
        ? !it.getAttribute("alt")
        : it.getAttribute("role") !== "img" ||
          !it.querySelector("title")?.textContent ||
          !it.querySelector("desc")?.textContent
    ).map((it) => it.outerHTML.slice(0, 200))
  );
  assert.deepEqual(untold, []);
  assert.equal(await page.locator("main svg:visible").count() > 0, true);
}

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await checker.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    });
    return violations.map((fault) =>
      `${fault.id}: ${fault.nodes.map((node) => node.html).join(" | ")}`
    );
  });
}
