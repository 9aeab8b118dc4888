/**
 * The names that the compiler puts into a cell, and how they are taken out of
 * what the engine says. A session's name `f` lives in a variable `ºf`, so that
 * a call that fails is told as "(0 , ºf.value) is not a function"; the author
 * is to read "f is not a function".
 *
 * Errors are put right where a cell can see them: in `catch (error)`, on its
 * console, as its value and as its error output. What the callback of a
 * promise's `catch()` reads from `error.message` itself is as the engine said.
 */

/** A letter that Latin-1 has and that hardly any program uses. */
const LETTER = "º";

const NAME = "º+([\\p{ID_Continue}$]+)";
const OWN = new RegExp(
  `\\(0 ?, ${NAME}\\.value\\)|${NAME}\\.(?:value|typed|fixed|let|const)\\b`,
  "gu",
);

/** freePrefix() - a text that no identifier of the cell starts with. */
export function freePrefix(text: string): string {
  const plain = text.replace(
    /\\u(?:\{([0-9a-f]+)\}|([0-9a-f]{4}))/gi,
    (_, long, short) => (parseInt(long ?? short, 16) === 0xba ? LETTER : ""),
  );
  let prefix = LETTER;
  while (plain.includes(prefix)) prefix += LETTER;
  return prefix;
}

/** plainError() - the value itself; an error's message has names put right. */
export function plainError<T>(value: T): T {
  if (!(value instanceof Error)) return value;
  const { message } = value;
  if (typeof message !== "string" || !message.includes(LETTER)) return value;
  const plain = message.replace(OWN, (_, called, used) => called ?? used);
  if (plain === message) return value;
  const property = { value: plain, writable: true, configurable: true };
  Reflect.defineProperty(value, "message", property);
  return value;
}
