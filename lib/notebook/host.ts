/**
 * `show()`: hands figures and values to whatever runs the notebook.
 *
 * The host is looked up at each call, in this order:
 * 1. `globalThis[Symbol.for("swaplab.display")]`, a function of a mime bundle:
 *    set by our session while a cell runs (runner, page, our own kernel);
 * 2. tslab 1.0: `globalThis.__tslab__.require` is its kernel's `require`; the
 *    loaded module `tslab/dist/jupyter.js` exports `lastWriteDisplayData`,
 *    which its own `display` uses. We call that, because `display.raw` can
 *    only send one mime type at a time, which would show a figure four times;
 * 3. Deno's stock kernel: `Deno.jupyter.display(bundle, { raw: true })`. It
 *    answers by a promise. All calls are started in order; a cell that must
 *    have its outputs out before it ends says `await shown()`;
 * 4. anything else (a script, a test): the text form goes to console.log.
 */
import { describe, type MimeBundle } from "../show/figure.ts";
import { inspect } from "../show/inspect.ts";

type Display = (bundle: MimeBundle) => void;

/** Displays that Deno's kernel has not confirmed yet. */
const pending = new Set<Promise<void>>();

/**
 * show() - displays each value, in order.
 *
 * @param values anything with a `Symbol.for("Jupyter.display")` method (all
 * our figures) in its best form; a string as it is; all else as inspect() does
 */
export function show(...values: unknown[]): void {
  const display = sessionDisplay() ?? tslabDisplay() ?? denoDisplay() ??
    printText;
  for (const value of values) display(bundleOf(value));
}

/**
 * shown() - resolves when the host has all that was shown before.
 *
 * Only Deno's stock kernel needs it; elsewhere it resolves at once.
 */
export async function shown(): Promise<void> {
  await Promise.all(pending);
}

/** bundleOf() - the mime bundle that show() sends for a value. */
export function bundleOf(value: unknown): MimeBundle {
  if (typeof value === "string") return { "text/plain": value };
  const displayer = field(value, Symbol.for("Jupyter.display"));
  if (typeof displayer !== "function") return { "text/plain": inspect(value) };
  const bundle: unknown = displayer.call(value);
  const isBundle = typeof bundle === "object" && bundle !== null &&
    !Array.isArray(bundle) && !(bundle instanceof Promise);
  if (isBundle) return bundle as MimeBundle;
  const came = bundle instanceof Promise ? "a promise" : describe(bundle);
  throw new TypeError(`show(): wanted a mime bundle, got ${came}`);
}

function field(value: unknown, key: PropertyKey): unknown {
  const isObject = typeof value === "object" || typeof value === "function";
  return isObject && value !== null ? Reflect.get(value, key) : undefined;
}

function sessionDisplay(): Display | null {
  const display = field(globalThis, Symbol.for("swaplab.display"));
  return typeof display === "function" ? display as Display : null;
}

function tslabDisplay(): Display | null {
  const require = field(field(globalThis, "__tslab__"), "require");
  const modules = Object.entries(field(require, "cache") ?? {});
  const isKernel = (path: string) =>
    /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(path);
  for (const [path, module] of modules) {
    if (!isKernel(path)) continue;
    const exports = field(module, "exports");
    const write = field(exports, "lastWriteDisplayData");
    if (typeof write !== "function") continue;
    return (data) => write({ data, metadata: {}, transient: {} }, false);
  }
  return null;
}

function denoDisplay(): Display | null {
  const display = denoJupyterDisplay();
  if (typeof display !== "function") return null;
  return (bundle) => {
    const done: Promise<void> = Promise.resolve(display(bundle, { raw: true }))
      .then(() => void pending.delete(done));
    pending.add(done);
  };
}

/** Outside of its kernel, Deno throws as soon as `Deno.jupyter` is read. */
function denoJupyterDisplay(): unknown {
  try {
    return field(field(field(globalThis, "Deno"), "jupyter"), "display");
  } catch {
    return undefined;
  }
}

function printText(bundle: MimeBundle): void {
  console.log(bundle["text/plain"] ?? inspect(bundle));
}
