/**
 * One bundle of the engine in Deno, in Node and in a page: after 100,000
 * operations all three have traced the same. A host that is not there is
 * named, and the others are compared.
 */
import assert from "node:assert/strict";
import * as esbuild from "esbuild";
import { launchBrowser, withoutBrowser } from "./browser.ts";

async function makeBundle(): Promise<string> {
  const entry = new URL("fixtures/trace_driver.ts", import.meta.url);
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [decodeURIComponent(entry.pathname)],
      bundle: true,
      format: "iife",
      globalName: "swaplabTrace",
      target: "es2022",
      logLevel: "silent",
      write: false,
    });
    return outputFiles[0]!.text;
  } finally {
    await esbuild.stop();
  }
}

/** The bundle as a program; null if the host is not there. */
async function runProgram(
  host: string,
  args: readonly string[],
  bundle: string,
): Promise<string | null> {
  const file = await Deno.makeTempFile({ suffix: ".cjs" });
  try {
    await Deno.writeTextFile(
      file,
      `${bundle}\nconsole.log(swaplabTrace.traceHash());\n`,
    );
    const command = new Deno.Command(host, { args: [...args, file] });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    assert.equal(code, 0, decoder.decode(stderr));
    return decoder.decode(stdout).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  } finally {
    await Deno.remove(file);
  }
}

async function runInPage(bundle: string): Promise<string | null> {
  if (withoutBrowser) return null;
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: bundle });
    return await page.evaluate("swaplabTrace.traceHash()") as string;
  } finally {
    await browser.close();
  }
}

Deno.test("Deno, Node and a page trace the same 100,000 operations", async () => {
  const bundle = await makeBundle();
  const [deno, node, page] = await Promise.all([
    runProgram(Deno.execPath(), ["run", "--no-prompt"], bundle),
    runProgram("node", [], bundle),
    runInPage(bundle),
  ]);
  assert.match(deno!, /^[0-9a-f]{16} 100000 \d{6,}$/);
  for (const [host, hash] of Object.entries({ node, page })) {
    if (hash === null) console.log(`No ${host} here: not compared.`);
    else assert.equal(hash, deno, host);
  }
});
