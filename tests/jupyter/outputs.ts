/**
 * What a kernel publishes while a cell runs, as the outputs that a notebook
 * file stores; by the rules of nbclient. Ours.
 */
import type { MimeBundle, Output } from "../../lib/notebook/nbformat.ts";
import type { Message } from "../../lib/notebook/kernel_wire.ts";

/** Takes the messages of one cell in the order in which they came. */
export interface Collector {
  readonly outputs: Output[];
  take(message: Message): void;
}

export function makeCollector(): Collector {
  const outputs: Output[] = [];
  /** Which output an update means, by its display id. */
  const displays = new Map<string, Output>();
  /** Set by `clear_output` with `wait`: the next output clears first. */
  let clearsNext = false;

  function add(output: Output): void {
    if (clearsNext) outputs.length = 0;
    clearsNext = false;
    const last = outputs.at(-1);
    const joins = output.output_type === "stream" &&
      last?.output_type === "stream" && last.name === output.name;
    if (joins) last.text += output.text;
    else outputs.push(output);
  }

  function take(message: Message): void {
    const { header: { msg_type }, content } = message;
    if (msg_type === "clear_output") {
      clearsNext = content.wait === true;
      if (!clearsNext) outputs.length = 0;
      return;
    }
    const id = displayId(content);
    const known = id === null ? undefined : displays.get(id);
    if (msg_type === "update_display_data") {
      if (known !== undefined) Object.assign(known, parts(content));
      return;
    }
    const output = outputOf(message);
    if (output === null) return;
    add(output);
    if (id !== null) displays.set(id, output);
  }

  return { outputs, take };
}

/** The output that a message is; null for statuses, echoes and the like. */
export function outputOf({ header, content }: Message): Output | null {
  switch (header.msg_type) {
    case "stream":
      return {
        output_type: "stream",
        name: content.name === "stderr" ? "stderr" : "stdout",
        text: String(content.text),
      };
    case "display_data":
      return { output_type: "display_data", ...parts(content) };
    case "execute_result":
      return {
        output_type: "execute_result",
        ...parts(content),
        execution_count: Number(content.execution_count),
      };
    case "error":
      return {
        output_type: "error",
        ename: String(content.ename),
        evalue: String(content.evalue),
        traceback: Array.isArray(content.traceback)
          ? content.traceback.map(String)
          : [],
      };
    default:
      return null;
  }
}

function parts(content: Record<string, unknown>) {
  return {
    data: content.data as MimeBundle,
    metadata: (content.metadata ?? {}) as Record<string, unknown>,
  };
}

function displayId(content: Record<string, unknown>): string | null {
  const transient = content.transient as { display_id?: unknown } | undefined;
  const id = transient?.display_id;
  return typeof id === "string" ? id : null;
}
