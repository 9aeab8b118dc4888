/** The pages that the tests of the compressors share. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { fillKernelPage, kernelPageKinds } from "../../lib/lab/kernel_pages.ts";

export const PAGE_SIZE = 4096;

export interface NamedPage {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const processes = ["node", "python", "redis", "sqlite"] as const;

/** 512 pages of real processes. */
export function realPages(): NamedPage[] {
  const folder = new URL("../../lib/lab/data/pages/", import.meta.url);
  return processes.flatMap((process) => {
    const file = new URL(`${process}.pages.gz`, folder);
    const memory = new Uint8Array(gunzipSync(readFileSync(file)));
    return Array.from({ length: memory.length / PAGE_SIZE }, (_, i) => ({
      name: `${process} ${i}`,
      bytes: memory.slice(i * PAGE_SIZE, (i + 1) * PAGE_SIZE),
    }));
  });
}

/** `each` pages of every kind that the kernel recordings use. */
export function generatedPages(each: number): NamedPage[] {
  return kernelPageKinds.flatMap((kind) =>
    Array.from({ length: each }, (_, i) => {
      const bytes = new Uint8Array(PAGE_SIZE);
      fillKernelPage(bytes, kind, 7, i, 1);
      return { name: `${kind} ${i}`, bytes };
    })
  );
}

/** What the vectors cover, in their order. */
export function vectorPages(): NamedPage[] {
  return [...realPages(), ...generatedPages(40)];
}
