/**
 * Notebooks as data: the part of nbformat 4.5 that we write, read and compare.
 * Types only; serialising is in run.ts, so that a page need not load it.
 */

import type { MimeBundle } from "../show/figure.ts";

export type { MimeBundle };

export type StreamOutput = {
  output_type: "stream";
  name: "stdout" | "stderr";
  text: string;
};

export type DisplayOutput = {
  output_type: "display_data";
  data: MimeBundle;
  metadata: Record<string, unknown>;
};

export type ResultOutput = {
  output_type: "execute_result";
  data: MimeBundle;
  metadata: Record<string, unknown>;
  execution_count: number;
};

export type ErrorOutput = {
  output_type: "error";
  ename: string;
  evalue: string;
  traceback: string[];
};

/** One output of a run, in the shape that a notebook file stores. */
export type Output =
  | StreamOutput
  | DisplayOutput
  | ResultOutput
  | ErrorOutput;

export interface CodeCell {
  cell_type: "code";
  id: string;
  metadata: { tags?: string[]; [key: string]: unknown };
  source: string;
  outputs: Output[];
  execution_count: number | null;
}

export interface MarkdownCell {
  cell_type: "markdown";
  id: string;
  metadata: Record<string, unknown>;
  source: string;
}

export type Cell = CodeCell | MarkdownCell;

/** A notebook; sources and stream texts are whole strings, not line arrays. */
export interface Notebook {
  nbformat: 4;
  nbformat_minor: 5;
  metadata: Record<string, unknown>;
  cells: Cell[];
}
