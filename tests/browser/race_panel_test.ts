/** A race in the address of a page, in a real browser. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { withoutBrowser } from "./browser.ts";
import { FIXTURE, openSite, type Site, withPage } from "./site.ts";

let opened: Site | null = null;

function address(way: "http" | "file", hash: string): string {
  if (opened === null) throw new Error("the site was not opened");
  return `${opened.bases[way]}${FIXTURE}.html#${hash}`;
}

if (!withoutBrowser) {
  Deno.test.beforeAll(async () => {
    opened = await openSite();
  });
  Deno.test.afterAll(async () => {
    await opened?.close();
  });
}

/** The browser outlives each test, so Deno's own leak checks are off. */
function test(name: string, run: () => Promise<void>): void {
  Deno.test({
    name: withoutBrowser ? `${name} (ignored: SWAPLAB_NO_BROWSER=1)` : name,
    ignore: withoutBrowser,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: run,
  });
}

/** Wait for the panel to say that it is done or has failed. */
async function untilRan(page: Page, state: "done" | "failed"): Promise<string> {
  const panel = page.locator(`#race-panel[data-state=${state}]`);
  await panel.waitFor();
  return await panel.innerText();
}

const lost = "race=planted-lost-update&variant=no+lock";

for (const way of ["http", "file"] as const) {
  test(`a race's address opens its run over ${way}`, async () => {
    await withPage(opened!, address(way, `${lost}&schedule=A1B4A`), async (
      page,
    ) => {
      const text = await untilRan(page, "done");
      assert.match(text, /Race planted-lost-update, no lock/);
      assert.match(text, /BROKEN \(one run, 8 steps\)/);
      assert.match(text, /CPU0 +CPU1\s+countUp\(\)/);
      assert.equal(await page.locator("#race-panel figure svg").count(), 1);
      const input = page.getByLabel("Schedule");
      assert.equal(await input.inputValue(), "A1B4A");
      assert.equal(
        await page.evaluate(() => document.activeElement?.id),
        "race-title",
      );
    });
  });
}

test("another schedule is made from the panel, and is in the address", async () => {
  await withPage(opened!, address("http", `${lost}&schedule=A1B4A`), async (
    page,
  ) => {
    await untilRan(page, "done");
    await page.getByLabel("Schedule").fill("A4B");
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByText("counted 4").first().waitFor();
    assert.match(page.url(), /schedule=A4B$/);
    await page.getByRole("button", { name: "Close" }).click();
    assert.equal(await page.locator("#race-panel").count(), 0);
    assert.ok(!page.url().includes("#"));
  });
});

test("what does not fit is refused with the step", async () => {
  await withPage(opened!, address("http", `${lost}&schedule=A1B9A`), async (
    page,
  ) => {
    const text = await untilRan(page, "failed");
    assert.match(text, /ceases to fit at step 6: B cannot go on/);
    await page.evaluate(() => location.hash = "#race=nothing");
    await page.getByText('No litmus test "nothing"').waitFor();
  });
});

test("a race of the engine, searched in the page", async () => {
  await withPage(
    opened!,
    address("http", "race=sync-swapin-aba&variant=no+pin"),
    async (page) => {
      const text = await untilRan(page, "done");
      assert.match(text, /BROKEN \(searched all interleavings, \d+ runs\)/);
      assert.match(text, /corruption: Data corruption/);
      await page.addScriptTag({ content: axe.source });
      const found = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof axe }).axe.run("#race-panel")
      );
      assert.deepEqual(found.violations.map(({ id }) => id), []);
    },
  );
});
