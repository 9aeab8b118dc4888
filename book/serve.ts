/**
 * `deno task start [--port N]`: build what is stale, then serve the book on
 * http://127.0.0.1:8000, or on the next free port.
 */

import { main as buildNotebooks } from "swaplab/notebook/cli.ts";
import { fromFileUrl, root } from "./files.ts";
import { serveFolder } from "./site.ts";
import { folders, isFresh } from "./stamp.ts";

const FIRST_PORT = 8000;
/** So many ports are tried before giving up. */
const PORTS_TRIED = 100;

/** readPort() - from the arguments; throws RangeError on nonsense. */
export function readPort(args: readonly string[]): number {
  if (args.length === 0) return FIRST_PORT;
  const text = /^--port=?(.*)$/.exec(args[0]!)?.[1];
  const value = text === "" ? args[1] : text;
  const extra = args.length > (text === "" ? 2 : 1);
  const port = Number(value);
  const isPort = /^\d+$/.test(value ?? "") && port >= 1 && port <= 65535;
  if (isPort && !extra) return port;
  throw new RangeError(
    `wanted --port N with N from 1 to 65535, got ${args.join(" ")}`,
  );
}

/** listen() - serve a folder from `port` on; the address is printed. */
export function listen(
  folder: string,
  port: number,
  say: (line: string) => void,
): Deno.HttpServer<Deno.NetAddr> {
  const last = Math.min(port + PORTS_TRIED, 65535);
  for (let at = port; at <= last; at++) {
    const server = tryPort(folder, at);
    if (server === null) continue;
    if (at !== port) say(`port ${port} is taken; the next free one is ${at}`);
    say(`the book is on http://127.0.0.1:${at}/ (Ctrl-C ends)`);
    return server;
  }
  throw new RangeError(`wanted a free port from ${port} to ${last}, got none`);
}

/** null if another program has the port. */
function tryPort(
  folder: string,
  port: number,
): Deno.HttpServer<Deno.NetAddr> | null {
  const options = { hostname: "127.0.0.1", port, onListen: () => {} };
  try {
    return Deno.serve(options, (request) => serveFolder(folder, request));
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return null;
    if (error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}

async function main(): Promise<void> {
  const say = console.log;
  const port = readPort(Deno.args);
  if (await buildNotebooks(["--types-off"], fromFileUrl(root), say) !== 0) {
    throw new RangeError("a notebook does not build, see above");
  }
  if (await isFresh(folders)) {
    say("book: up to date");
  } else {
    say("book: building …");
    // Loaded only when needed: a warm start does without the bundler.
    const { buildBook } = await import("./build.ts");
    await buildBook(folders, say);
  }
  const server = listen(folders.out, port, say);
  // Not shutdown(): it would wait for a browser that keeps a connection open.
  Deno.addSignalListener("SIGINT", () => Deno.exit(0));
  await server.finished;
}

if (import.meta.main) {
  try {
    await main();
    Deno.exit(0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(`start: ${error.message}`);
    Deno.exit(2);
  }
}
