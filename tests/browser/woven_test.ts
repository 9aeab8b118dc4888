/** Quotes, claims and links in a real browser. */

import assert from "node:assert/strict";
import { FIXTURE, withPage } from "./site.ts";
import { makeSuite } from "./suite.ts";

const { site, test } = makeSuite();

/** From the disk: nothing here needs a server. */
function fixture(): string {
  return `${site().bases.file}${FIXTURE}.html`;
}

test("a quote and a claim have addresses, and links that lead on", async () => {
  const address = `${fixture()}#quote-wide`;
  await withPage(site(), address, async (page) => {
    const isNear = (id: string) =>
      page.evaluate((name) => {
        const top = document.getElementById(name)!.getBoundingClientRect().top;
        return top >= 0 && top < innerHeight / 2;
      }, id);
    assert.equal(await isNear("quote-wide"), true);
    await page.locator("#claim-one-and-four .permalink").click();
    assert.ok(page.url().endsWith("#claim-one-and-four"));
    await page.locator("#claim-one-and-four a", { hasText: /^streams$/ })
      .click();
    assert.equal(await isNear("streams"), true);
  }, { viewport: { width: 390, height: 800 }, javaScriptEnabled: false });
});

test("the keyboard reaches a wide listing and scrolls it", async () => {
  await withPage(site(), fixture(), async (page) => {
    await page.locator("#quote-wide .permalink").focus();
    await page.keyboard.press("Tab");
    const listing = page.locator("#quote-wide .listing");
    const focused = await listing.evaluate((it) =>
      it === document.activeElement
    );
    assert.equal(focused, true);
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() =>
      document.querySelector("#quote-wide .listing")!.scrollLeft > 0
    );
    const code = await listing.locator("code").textContent();
    assert.match(code!, /^export function a_wide_function\(\)/);
  }, { viewport: { width: 390, height: 800 } });
});

test("every link inside the book leads to something", async () => {
  const ids = new Map<string, Set<string>>();
  const links: [from: string, to: string][] = [];
  for (const name of ["index", "names", "claims", ...site().notebooks.keys()]) {
    const address = `${site().bases.file}${name}.html`;
    await withPage(site(), address, async (page) => {
      const [own, all] = await page.evaluate(() => [
        [...document.querySelectorAll("[id]")].map((it) => it.id),
        [...document.querySelectorAll("a[href]")]
          .map((it) => it.getAttribute("href")!),
      ]);
      ids.set(`${name}.html`, new Set(own));
      for (const to of all!) links.push([`${name}.html`, to]);
    });
  }
  const lost = links.filter(([from, to]) => {
    const [path, id] = to.split("#");
    const page = path === "" ? from : path!;
    if (/^[a-z]+:/.test(to) || !page.endsWith(".html")) return false;
    // A schedule's address is for the page's own script.
    const isKnown = id === undefined || id === "top" || /^race=/.test(id) ||
      ids.get(page)?.has(id);
    return !ids.has(page) || !isKnown;
  });
  assert.deepEqual(lost, []);
  assert.ok(links.length > 100);
});
