/**
 * The checks of single options: each returns the value or says what was
 * wanted and what came. Ours.
 */
type Known = Readonly<Record<string, unknown>>;

export function got(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

export function wholeNumber(
  name: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER
    ? `≥ ${least}`
    : `from ${least} to ${most}`;
  throw new RangeError(
    `${name}: wanted a whole number ${range}, got ${got(value)}`,
  );
}

export function positive(name: string, value: number): number {
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) {
    return value;
  }
  throw new RangeError(`${name}: wanted a number > 0, got ${got(value)}`);
}

export function share(name: string, value: number): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw new RangeError(
    `${name}: wanted a share from 0 to 1, got ${got(value)}`,
  );
}

export function truth(name: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${name}: wanted true or false, got ${got(value)}`);
}

export function oneOf<Name extends string>(
  name: string,
  value: string,
  known: readonly Name[],
): Name {
  if ((known as readonly string[]).includes(value)) return value as Name;
  throw new RangeError(
    `${name}: wanted one of ${known.join(", ")}; got ${got(value)}`,
  );
}

/** A misspelt option would otherwise be a default, silently. */
export function knownOnly(
  where: string,
  given: object,
  known: readonly string[],
) {
  for (const name of Object.keys(given as Known)) {
    if (known.includes(name)) continue;
    throw new TypeError(
      `${where}: no option "${name}"; there are ${known.join(", ")}`,
    );
  }
}

export function record(where: string, value: unknown): void {
  if (typeof value === "object" && value !== null) return;
  throw new TypeError(`${where}: wanted an object, got ${got(value)}`);
}
