/**
 * Where what a cell does becomes Jupyter messages. Ours.
 *
 * Pieces of one stream that follow each other go out as one message: the text
 * of a short cell is one output in every client, also in those that store a
 * message as it comes. Text waits HOLD_MS at most; anything else that the cell
 * does, and its end, let the text go first.
 */
import type { CellEvent } from "./kernel_frames.ts";
import type { Content } from "./kernel_wire.ts";
import type { StreamOutput } from "./nbformat.ts";

export interface Outlet {
  take(events: readonly CellEvent[]): Promise<void>;
  /** Resolves when nothing is held back any more. */
  flush(): Promise<void>;
}

type Publish = (msg_type: string, content: Content) => Promise<void>;

/** How long text waits for more; a reader takes it for at once. */
const HOLD_MS = 200;

/** More text than this does not wait, in UTF-16 units. */
const MAX_HELD = 2 ** 20;

/** makeOutlet() - for one run of a cell, with its execution count. */
export function makeOutlet(publish: Publish, count: number): Outlet {
  let held: StreamOutput | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    if (held === null) return;
    const { name, text } = held;
    held = null;
    await publish("stream", { name, text });
  }

  async function hold(stream: StreamOutput): Promise<void> {
    if (held?.name !== stream.name) {
      await flush();
      held = { ...stream };
      timer = setTimeout(flush, HOLD_MS);
    } else held.text += stream.text;
    if (held.text.length > MAX_HELD) await flush();
  }

  async function take(events: readonly CellEvent[]): Promise<void> {
    for (const event of events) {
      const stream = streamOf(event);
      if (stream !== null) {
        await hold(stream);
        continue;
      }
      await flush();
      const { msg_type, content } = messageOf(event, count);
      await publish(msg_type, content);
    }
  }

  return { take, flush };
}

function streamOf(event: CellEvent): StreamOutput | null {
  if (event.event !== "output") return null;
  return event.output.output_type === "stream" ? event.output : null;
}

/** The Jupyter message that an event is. */
function messageOf(
  event: CellEvent,
  execution_count: number,
): { msg_type: string; content: Content } {
  if (event.event === "clear") {
    return { msg_type: "clear_output", content: { wait: event.wait } };
  }
  if (event.event === "display") {
    const { data, metadata, display_id, isUpdate } = event;
    const transient = display_id === undefined ? {} : { display_id };
    return {
      msg_type: isUpdate ? "update_display_data" : "display_data",
      content: { data, metadata, transient },
    };
  }
  const { output_type, ...content } = event.output;
  if (output_type !== "execute_result") {
    const transient = output_type === "display_data" ? { transient: {} } : {};
    return { msg_type: output_type, content: { ...content, ...transient } };
  }
  return { msg_type: output_type, content: { ...content, execution_count } };
}
