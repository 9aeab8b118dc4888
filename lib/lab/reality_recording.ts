/**
 * Recordings: what a real kernel counted at each `snap` of a workload. Ours.
 *
 * The format is by columns: `counters[name][i]` is the value at `labels[i]`,
 * null where there was none (a process that had ended, say).
 */
import { type Series, seriesOf } from "./reality_era.ts";

export interface Recording {
  /** The release, as `uname -r` tells it. */
  readonly kernel: string;
  readonly zpool: string;
  /** The name of the `.wl` file, without the ending. */
  readonly workload: string;
  /** The swap device: vda, brd or zram. */
  readonly swap: string;
  /** "icount": guest time follows the instructions; else "plain". */
  readonly mode: string;
  readonly run: number;
  readonly memTotalKb: number;
  /** Pages that the guest read back wrong. */
  readonly bad: number;
  readonly labels: readonly string[];
  readonly counters: Readonly<Record<string, readonly (number | null)[]>>;
}

/** "6.12.zsmalloc.g-directed" */
export function recordingName(recording: Recording): string {
  const { zpool, workload } = recording;
  return `${recordedSeries(recording)}.${zpool}.${workload}`;
}

/** A file of recordings is not what it should be. */
export class RecordingError extends Error {
  override name = "RecordingError";
}

const texts = ["kernel", "zpool", "workload", "swap", "mode"] as const;
const numbers = ["run", "memTotalKb", "bad"] as const;

/**
 * parseRecordings() - the recordings of a file.
 *
 * @param file its name, for messages
 *
 * Throws RecordingError if a field is missing or a column has a wrong length.
 */
export function parseRecordings(text: string, file: string): Recording[] {
  const parsed: unknown = JSON.parse(text);
  const list = (parsed as { recordings?: unknown } | null)?.recordings;
  if (!Array.isArray(list)) {
    throw new RecordingError(`${file}: wanted {"recordings": […]}`);
  }
  return list.map((one, i) => checked(one, `${file}: recording ${i}`));
}

function checked(one: Record<string, unknown>, where: string): Recording {
  for (const name of texts) want(typeof one[name] === "string", where, name);
  for (const name of numbers) want(typeof one[name] === "number", where, name);
  want(Array.isArray(one["labels"]), where, "labels");
  const recording = one as unknown as Recording;
  const count = recording.labels.length;
  for (const [name, column] of Object.entries(recording.counters)) {
    want(column.length === count, where, `${name}: ${count} values`);
  }
  return recording;
}

function want(there: boolean, where: string, what: string): void {
  if (!there) throw new RecordingError(`${where}: no ${what}`);
}

/** The series of a recording's kernel. */
export function recordedSeries({ kernel }: Recording): Series {
  return seriesOf(kernel);
}
