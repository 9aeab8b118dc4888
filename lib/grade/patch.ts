/**
 * A student's patch, read strictly and applied in memory: one file, text
 * edits, nothing else.
 *
 * Taken: `git diff`, `git format-patch` with its mail around, `diff -u`;
 * moved hunks. Refused, with the line: other files, renames, copies, modes,
 * new and deleted files, binary data, wrong counts, hunks out of order, and
 * context that differs by a single byte. Nothing here touches a file system,
 * and no pattern backtracks.
 */
export class PatchError extends Error {
  override name = "PatchError";
}

/** Lines with their ends, so that a missing last newline is kept exactly. */
interface Hunk {
  /** Index of its first line in the old file, as the patch believes. */
  readonly start: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Line of the patch, for messages. */
  readonly line: number;
}

/** A cursor over the patch. */
interface Reader {
  readonly lines: readonly string[];
  at: number;
}

/**
 * applyPatch() - the file that a patch makes of `original`.
 *
 * @param path of the only file that may change, as in the project
 * @throws PatchError with the reason and the line of the patch
 */
export function applyPatch(
  patch: string,
  path: string,
  original: string,
): string {
  const text = patch.includes("\r\n") ? patch.replaceAll("\r\n", "\n") : patch;
  const reader: Reader = { lines: text.split("\n"), at: 0 };
  readHead(reader, path);
  const hunks: Hunk[] = [];
  while (current(reader).startsWith("@@")) hunks.push(readHunk(reader));
  if (hunks.length === 0) refuse(reader, "wanted a hunk, @@ -1,2 +1,2 @@");
  readTail(reader);
  return applyHunks(splitLines(original), hunks);
}

function refuse(reader: Reader, why: string): never {
  throw new PatchError(`Line ${reader.at + 1} of the patch: ${why}`);
}

function current({ lines, at }: Reader): string {
  return lines[at] ?? "";
}

function atEnd({ lines, at }: Reader): boolean {
  return at >= lines.length;
}

/** Past the mail and the header lines, to the first hunk. */
function readHead(reader: Reader, path: string): void {
  const startsFile = (line: string) =>
    line.startsWith("diff --") || line.startsWith("--- a/") ||
    line === `--- ${path}` || line.startsWith(`--- ${path}\t`);
  while (!atEnd(reader) && !startsFile(current(reader))) reader.at++;
  if (atEnd(reader)) throw new PatchError("There is no patch in this file");
  if (current(reader).startsWith("diff --")) {
    if (current(reader) !== `diff --git a/${path} b/${path}`) {
      refuse(reader, `only ${path} may be changed`);
    }
    reader.at++;
    readIndexLine(reader);
  }
  readFileName(reader, "--- ", ["a/", ""], path);
  readFileName(reader, "+++ ", ["b/", ""], path);
}

/** The only header line that a plain edit has. */
function readIndexLine(reader: Reader): void {
  const line = current(reader);
  if (line.startsWith("--- ")) return;
  if (!/^index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64} 100644$/.test(line)) {
    refuse(reader, "wanted an edit of a plain text file and nothing else");
  }
  reader.at++;
}

function readFileName(
  reader: Reader,
  mark: string,
  prefixes: readonly string[],
  path: string,
): void {
  // Behind a tab some programs write the time.
  const [name] = current(reader).split("\t");
  if (!prefixes.some((prefix) => name === `${mark}${prefix}${path}`)) {
    refuse(reader, `wanted "${mark}${prefixes[0]}${path}"`);
  }
  reader.at++;
}

const hunkHead = /^@@ -(\d{1,7})(?:,(\d{1,7}))? \+\d{1,7}(?:,(\d{1,7}))? @@/;

function readHunk(reader: Reader): Hunk {
  const match = hunkHead.exec(current(reader));
  if (match === null) refuse(reader, "wanted @@ -1,2 +1,2 @@");
  const line = reader.at + 1;
  const [, first, oldCount, newCount] = match;
  const wantedBefore = Number(oldCount ?? 1);
  const wantedAfter = Number(newCount ?? 1);
  const before: string[] = [];
  const after: string[] = [];
  reader.at++;
  while (before.length < wantedBefore || after.length < wantedAfter) {
    readHunkLine(reader, before, after);
  }
  if (before.length > wantedBefore || after.length > wantedAfter) {
    refuse(reader, `the hunk at line ${line} has more lines than it says`);
  }
  // With no old lines the number names the line before the place.
  const start = wantedBefore === 0 ? Number(first) : Number(first) - 1;
  return { start: Math.max(0, start), before, after, line };
}

function readHunkLine(
  reader: Reader,
  before: string[],
  after: string[],
): void {
  if (atEnd(reader)) refuse(reader, "the patch ends within a hunk");
  const line = current(reader);
  const endless = reader.lines[reader.at + 1]?.startsWith("\\ No newline");
  const text = line.slice(1) + (endless ? "" : "\n");
  const mark = line[0] ?? " ";
  if (mark === " " || mark === "-") before.push(text);
  if (mark === " " || mark === "+") after.push(text);
  if (!" -+".includes(mark)) refuse(reader, "wanted a line with ' ', - or +");
  reader.at += endless ? 2 : 1;
}

/** Behind the last hunk: nothing, or the signature of a mail. */
function readTail(reader: Reader): void {
  const signature = current(reader) === "-- ";
  for (; !atEnd(reader); reader.at++) {
    const line = current(reader);
    if (/^(?:diff --|@@ |--- a\/|\+\+\+ |GIT binary)/.test(line)) {
      refuse(reader, "wanted one file, one patch");
    }
    if (line !== "" && !signature) refuse(reader, "wanted a hunk or the end");
  }
}

function splitLines(text: string): string[] {
  const lines = text.split("\n").map((line) => `${line}\n`);
  const last = lines.pop()!.slice(0, -1);
  return last === "" ? lines : [...lines, last];
}

function applyHunks(
  original: readonly string[],
  hunks: readonly Hunk[],
): string {
  const result: string[] = [];
  let done = 0;
  let moved = 0;
  for (const hunk of hunks) {
    const place = findPlace(original, hunk, hunk.start + moved, done);
    moved = place - hunk.start;
    result.push(...original.slice(done, place), ...hunk.after);
    done = place + hunk.before.length;
  }
  return [...result, ...original.slice(done)].join("");
}

/** The nearest place at or behind `least` where the old lines stand. */
function findPlace(
  original: readonly string[],
  { before, line }: Hunk,
  wanted: number,
  least: number,
): number {
  const last = original.length - before.length;
  const fits = (place: number) =>
    place >= least && place <= last &&
    before.every((text, index) => original[place + index] === text);
  for (let away = 0; away <= original.length; away++) {
    if (fits(wanted + away)) return wanted + away;
    if (fits(wanted - away)) return wanted - away;
  }
  throw new PatchError(
    `Line ${line} of the patch: this hunk does not fit the exercise's file`,
  );
}
