/** What a build was made of, as hashes: the engine's, and that of all inputs. */

import { createHash } from "node:crypto";
import { hashOfLib } from "swaplab/engine_hash.ts";
import { fromFileUrl, isThere, root, walk } from "./files.ts";

export interface BookFolders {
  /** Where NN_name.ipynb files are. */
  notebooks: string;
  /** Where the site goes. A build of ours that is there gives way. */
  out: string;
}

/** The folders of this project. */
export const folders: BookFolders = {
  notebooks: fromFileUrl(new URL("notebooks", root)),
  out: fromFileUrl(new URL("book/dist", root)),
};

/** What a build leaves beside its pages, in build.json. */
export interface BuildRecord {
  /** inputStamp() of the build. */
  stamp: string;
  engine: string;
}

/** inputStamp() - changes with whatever a build of `notebooks` reads. */
export async function inputStamp(notebooks: string): Promise<string> {
  const hash = createHash("sha256").update(await hashOfLib());
  const files = [
    ...walk(fromFileUrl(new URL("book", root)), "", ["dist"]),
    ...walk(notebooks, ".ipynb", ["node_modules", ".ipynb_checkpoints"]),
  ];
  for (const file of files) {
    const bytes = Deno.readFileSync(file);
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** isFresh() - is the site in `out` what a build would make now? */
export async function isFresh(
  { notebooks, out }: BookFolders,
): Promise<boolean> {
  return readStamp(out) === await inputStamp(notebooks);
}

/** readStamp() - the stamp of the build in a folder; null if there is none. */
export function readStamp(out: string): string | null {
  if (!isThere(recordOf(out))) return null;
  const record: Partial<BuildRecord> = JSON.parse(
    Deno.readTextFileSync(recordOf(out)),
  );
  return record.stamp ?? null;
}

export function writeStamp(out: string, record: BuildRecord): void {
  Deno.writeTextFileSync(recordOf(out), JSON.stringify(record, null, 2) + "\n");
}

function recordOf(out: string): string {
  return `${out}/build.json`;
}
