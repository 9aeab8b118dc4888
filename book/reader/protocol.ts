/** What the page and its worker say to each other. */

import type { Output } from "../../lib/notebook/nbformat.ts";

/** Page to worker: run one cell. `run` tells the answers of two runs apart. */
export interface RunRequest {
  run: number;
  id: string;
  source: string;
}

/** Worker to page: outputs so far, then all of them. */
export type RunReply =
  | { type: "ready" }
  | { type: "some"; run: number; outputs: Output[] }
  | { type: "done"; run: number; outputs: Output[]; cut: boolean };
