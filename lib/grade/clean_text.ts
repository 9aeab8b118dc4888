/**
 * Text that a student's code may have chosen, made harmless for a terminal,
 * a log, XML and a table.
 */

/** C0, C1, DEL, direction marks and overrides, and half a surrogate pair. */
const unsafe = new RegExp(
  [
    String.raw`[\x00-\x1f\x7f-\x9f]`,
    String.raw`[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]`,
    String.raw`[\ud800-\udbff](?![\udc00-\udfff])`,
    String.raw`(?<![\ud800-\udbff])[\udc00-\udfff]`,
  ].join("|"),
  "g",
);

/** One line, at most `limit` characters. */
export function cleanLine(text: string, limit = 500): string {
  const head = text.slice(0, limit).replaceAll(/\r?\n/g, " ⏎ ");
  const shown = head.replaceAll(unsafe, "\ufffd");
  return text.length > limit ? `${shown}…` : shown;
}

/** At most `maxLines` lines, each behind `prefix`. */
export function cleanLines(
  text: string,
  prefix: string,
  maxLines = 10,
): string[] {
  const lines = text.trimEnd().split(/\r?\n/);
  const shown = lines.slice(0, maxLines).map((line) =>
    (prefix + cleanLine(line, 200)).trimEnd()
  );
  return lines.length > maxLines ? [...shown, `${prefix}…`] : shown;
}
