/**
 * What runs here and not in every host: found when a notebook is built, so
 * that no reader finds it. Both faults are tslab's (1.0.22).
 */
import { compileCell } from "./cell.ts";
import type { CodeCell } from "./nbformat.ts";

/** unportable() - why a cell that has run would differ in tslab; or null. */
export function unportable(cell: CodeCell): string | null {
  const name = namesOf(cell.source).find((one) => one.startsWith("__"));
  if (name !== undefined) {
    return `tslab loses a name that begins with two underscores: import it ` +
      `by another, as in { ${name} as ourName }`;
  }
  const hasPicture = cell.outputs.some((output) =>
    output.output_type === "execute_result" &&
    Object.keys(output.data).some((mime) => mime !== "text/plain")
  );
  if (!hasPicture) return null;
  return "it ends in a value that is more than text, which tslab prints as " +
    "an object: say show(value)";
}

/** The top-level names that a cell declares or imports. */
function namesOf(source: string): string[] {
  try {
    const { declarations, imports } = compileCell(source, () => null);
    const imported = imports.flatMap(({ names }) =>
      names.map(({ local }) => local)
    );
    return [...declarations.keys(), ...imported];
  } catch {
    return []; // What does not compile is told as the cell's output.
  }
}
