/** What the page and its worker say to each other. */

import type { Output } from "../../lib/notebook/nbformat.ts";

/** Page to worker: run one cell. `run` tells the answers of two runs apart. */
export interface RunRequest {
  type: "run";
  run: number;
  id: string;
  source: string;
}

/** Page to worker: a part that was asked for, or why there is none. */
export type PartReply =
  | { type: "part"; part: string; source: string }
  | { type: "no-part"; part: string; reason: string };

export type PageMessage = RunRequest | PartReply;

/** Worker to page: outputs so far, then all of them; or it lacks a part. */
export type WorkerMessage =
  | { type: "ready" }
  | { type: "need"; part: string }
  | { type: "some"; run: number; outputs: Output[] }
  | { type: "done"; run: number; outputs: Output[]; cut: boolean };
