/**
 * Which engine was it? One number for all of lib/, printed by the book, the
 * tests and the grader, so that what differs can be told from what broke.
 */

/** Modules of the engine that stand in lib/ itself, beside its folders. */
export const loneModules: readonly string[] = [
  "eras.ts",
  "kernel_version.ts",
  "proposals.ts",
  "quirks.ts",
];

/** SHA-256 of bytes or of a text, in hexadecimal. */
export async function sha256(
  content: Uint8Array<ArrayBuffer> | string,
): Promise<string> {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

/**
 * hashOfLib() - one number for all that outputs depend on besides the source.
 *
 * SHA-256, in hexadecimal, of the names and contents of the files of lib/ and
 * of deno.lock, which pins the packages.
 */
export async function hashOfLib(): Promise<string> {
  const root = new URL("../", import.meta.url);
  const names = [...await filesBelow(root, "lib/"), "deno.lock"].sort();
  const parts: string[] = [];
  for (const name of names) {
    const bytes = await Deno.readFile(new URL(name, root));
    parts.push(`${name} ${await sha256(bytes)}`);
  }
  return await sha256(parts.join("\n"));
}

/** engineHash() - its first twelve digits, as people see it. */
export async function engineHash(): Promise<string> {
  return (await hashOfLib()).slice(0, 12);
}

async function filesBelow(root: URL, folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    const name = folder + entry.name;
    if (entry.isDirectory) names.push(...await filesBelow(root, `${name}/`));
    else names.push(name);
  }
  return names;
}
