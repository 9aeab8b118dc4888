/** One site and one browser for all tests of a file. */

import { withoutBrowser } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

export interface Suite {
  /** The site; open while a test runs. */
  site(): Site;
  test(name: string, run: () => Promise<void>): void;
}

/** makeSuite() - opens the site before the file's first test. */
export function makeSuite(): Suite {
  let opened: Site | null = null;
  if (!withoutBrowser) {
    Deno.test.beforeAll(async () => {
      opened = await openSite();
    });
    Deno.test.afterAll(async () => {
      await opened?.close();
    });
  }
  return {
    site: () => {
      if (opened === null) throw new Error("the site was not opened");
      return opened;
    },
    // The browser outlives each test, so Deno's own leak checks are off.
    test: (name, run) =>
      Deno.test({
        name: withoutBrowser ? `${name} (ignored: SWAPLAB_NO_BROWSER=1)` : name,
        ignore: withoutBrowser,
        sanitizeOps: false,
        sanitizeResources: false,
        fn: run,
      }),
  };
}
