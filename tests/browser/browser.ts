/**
 * A real browser for tests: Chromium named by CHROMIUM, or found on the
 * machine, or the one that comes as a package.
 */

import { type Browser, chromium } from "playwright-core";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** The one system library that Chromium needs and a bare machine may lack. */
const SYSTEM_NSS = [
  "/usr/lib/x86_64-linux-gnu/libnss3.so",
  "/usr/lib/aarch64-linux-gnu/libnss3.so",
  "/usr/lib64/libnss3.so",
  "/usr/lib/libnss3.so",
];

/**
 * The package's flags are for a cloud function: these would make the browser
 * end with its first window, or forgive what a reader's browser does not.
 */
const UNWANTED = new Set([
  "--single-process",
  "--no-zygote",
  "--disable-web-security",
  "--allow-running-insecure-content",
]);

/** Silent in the background, so that each request seen is the page's own. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Set to 1 on a machine that cannot start a browser: tests are ignored. */
export const withoutBrowser = Deno.env.get("SWAPLAB_NO_BROWSER") === "1";

/** launchBrowser() - throws, in words, if no browser can be started. */
export async function launchBrowser(): Promise<Browser> {
  try {
    const found = Deno.env.get("CHROMIUM") ?? INSTALLED.find(isFile);
    if (found === undefined) return await launchPackaged();
    const args = ["--no-sandbox", ...QUIET];
    return await chromium.launch({ executablePath: found, args });
  } catch (error) {
    throw new Error(
      "No browser could be started. Set CHROMIUM to a Chromium's path, or " +
        "SWAPLAB_NO_BROWSER=1 to leave the browser tests out.",
      { cause: error },
    );
  }
}

/** The browser of the package, with its own libraries where there are none. */
async function launchPackaged(): Promise<Browser> {
  if (!SYSTEM_NSS.some(isFile)) {
    // The package looks for this sign of a cloud function when it is loaded;
    // then it unpacks the libraries too and puts them on the search path.
    Deno.env.set("AWS_LAMBDA_JS_RUNTIME", "nodejs22.x");
  }
  const { default: sparticuz } = await import("@sparticuz/chromium");
  const flags = sparticuz.args.filter((flag) => !UNWANTED.has(flag));
  return await chromium.launch({
    executablePath: await sparticuz.executablePath(),
    args: [...flags, ...QUIET],
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
