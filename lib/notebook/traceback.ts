/**
 * Errors as notebook outputs that are the same in every host: places are those
 * of the cell ("line 4:7"), frames of lib/ are function names only, and what
 * lies below the cell (the session, the host) is left out.
 */
import { inspect } from "../show/inspect.ts";
import { CellFault } from "./cell_fault.ts";
import type { ErrorOutput } from "./nbformat.ts";
import { plainError } from "./own_names.ts";
import type { PlaceMap } from "./place.ts";

/** What a stack needs to know of one run of a cell. */
export interface RunPlaces {
  id: string;
  topName: string;
  toSource: PlaceMap;
}

/** How many frames a traceback shows; the rest is one line of dots. */
const MAX_FRAMES = 12;

/** Ours, between a cell and what fails on its behalf. */
const SESSION_FUNCTIONS: ReadonlySet<string> = new Set([
  "unset",
  "loadModule",
  "loadDynamic",
]);

/** Deno writes `NAME, <anonymous>:LINE:COLUMN`, others `NAME:LINE:COLUMN`. */
const CELL_LOCATION = /swaplab-cell:(\d+)(?:, <anonymous>)?:(\d+):(\d+)$/;

/** The name under which the engine knows the code of a run. */
export function runUrl(run: number): string {
  return `swaplab-cell:${run}`;
}

/**
 * errorOutput() - the output for anything thrown while the cell `id` ran.
 *
 * @param placesOf the runs of the session, by number
 */
export function errorOutput(
  thrown: unknown,
  id: string,
  placesOf: (run: number) => RunPlaces | undefined,
): ErrorOutput {
  if (!(thrown instanceof Error)) return outputOfValue(thrown, id);
  const ename = textOf(thrown.name, "Error");
  const message = textOf(plainError(thrown).message, "");
  if (thrown instanceof CellFault) return outputOfFault(thrown, id);
  const traceback = [
    headline(ename, message),
    ...historyOf(thrown, message),
    ...framesOf(thrown, placesOf),
    ...causesOf(thrown),
  ];
  return { output_type: "error", ename, evalue: message, traceback };
}

/** `throw 5`: JavaScript allows it, so it must be told. */
function outputOfValue(thrown: unknown, id: string): ErrorOutput {
  const evalue = inspect(thrown);
  return {
    output_type: "error",
    ename: "Thrown",
    evalue,
    traceback: [`Thrown: ${evalue}`, `    at cell ${id}`],
  };
}

function outputOfFault(fault: CellFault, id: string): ErrorOutput {
  const { line, column } = fault.place;
  return {
    output_type: "error",
    ename: fault.name,
    evalue: `${fault.message} (line ${line}:${column})`,
    traceback: [
      headline(fault.name, fault.message),
      `    at cell ${id}, line ${line}:${column}`,
      ...fault.excerpt.split("\n"),
    ],
  };
}

/** Names and messages can be anything, a throwing getter included. */
function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function headline(name: string, message: string): string {
  return message === "" ? name : `${name}: ${message}`;
}

/** The engine's errors carry what led to them; show it if not said yet. */
function historyOf(error: Error, message: string): string[] {
  return ["history", "trace"]
    .map((key) => textOf(Reflect.get(error, key), "").trimEnd())
    .filter((text) => text !== "" && !message.includes(text));
}

function causesOf(error: Error): string[] {
  const { cause } = error;
  if (cause === undefined) return [];
  if (!(cause instanceof Error)) return [`Caused by: ${inspect(cause)}`];
  const { name, message } = plainError(cause);
  return [`Caused by: ${headline(name, message)}`];
}

interface Frame {
  name: string;
  location: string;
}

/** A line of a stack, as V8 or as the other engines write it. */
function parseFrame(line: string): Frame | null {
  const v8 = /^\s+at (?:async )?(?:new )?(?:(.*?) \()?([^()]*)\)?$/.exec(line);
  if (v8 !== null) return { name: v8[1] ?? "", location: v8[2] ?? "" };
  const other = /^(?:async\*)?([^@\s]*)@(.*)$/.exec(line);
  if (other === null) return null;
  return { name: other[1] ?? "", location: other[2] ?? "" };
}

function framesOf(
  error: Error,
  placesOf: (run: number) => RunPlaces | undefined,
): string[] {
  const shown: string[] = [];
  let untilCell = 0;
  for (const text of textOf(error.stack, "").split("\n")) {
    const frame = parseFrame(text);
    if (frame === null) continue;
    const at = CELL_LOCATION.exec(frame.location);
    const places = at === null ? undefined : placesOf(Number(at[1]));
    const line = at === null || places === undefined
      ? hostFrame(frame)
      : cellFrame(frame, places, Number(at[2]), Number(at[3]));
    if (line !== null) shown.push(line);
    if (places !== undefined) untilCell = shown.length;
    if (frame.name === places?.topName) break;
  }
  // What comes after the last frame of a cell has called the cell: the host.
  return shorten(shown.slice(0, untilCell));
}

/** The last word of `Object.f`, `f [as g]`; no name for `<anonymous>`. */
function plainName(name: string): string {
  const last = name.replace(/ \[as .*\]$/, "").split(".").at(-1) ?? "";
  return /^[\p{ID_Start}$_#][\p{ID_Continue}$]*$/u.test(last) ? last : "";
}

/** A function outside the cells; the engine's own built-ins are not shown. */
function hostFrame(frame: Frame): string | null {
  const isOfFile = /:\d+:\d+$/.test(frame.location);
  const name = plainName(frame.name);
  if (!isOfFile || name === "" || SESSION_FUNCTIONS.has(name)) return null;
  return `    at ${name}`;
}

function cellFrame(
  frame: Frame,
  places: RunPlaces,
  line: number,
  column: number,
): string {
  const place = places.toSource({ line, column });
  const at = `cell ${places.id}, line ${place.line}:${place.column}`;
  // "eval" is what engines call a function without a name in such code.
  const name = plainName(frame.name);
  return name === "" || name === "eval" || name === places.topName
    ? `    at ${at}`
    : `    at ${name} (${at})`;
}

/** A recursion without end must not fill the page. */
function shorten(lines: string[]): string[] {
  const different = lines.filter((line, index) => line !== lines[index - 1]);
  if (different.length <= MAX_FRAMES) return different;
  return [...different.slice(0, MAX_FRAMES), "    …"];
}
