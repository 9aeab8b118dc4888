/**
 * Where requests of our kernel are answered: a table from their types to
 * handlers, and what the protocol wants around each of them. Ours.
 */
import type { CellRunner } from "./kernel_cells.ts";
import { type Executor, makeExecutor } from "./kernel_execute.ts";
import {
  cursorIn,
  historyReply,
  isComplete,
  kernelInfo,
  noMatches,
  nothingFound,
} from "./kernel_requests.ts";
import type { Answer, Publish } from "./kernel_sockets.ts";
import type { Types } from "./kernel_types.ts";
import type { Content, Received } from "./kernel_wire.ts";

/** What answers are made from. */
export interface DeskParts {
  cells: CellRunner;
  types: Types;
  publish: Publish;
  /** Takes lines for the kernel's own terminal. */
  tell: (line: string) => void;
}

/** Answers a request, or null: it wants no reply. */
type Handler = (request: Received) => Promise<Content | null> | Content | null;

/**
 * makeDesk() - a function that deals with a request from "busy" to "idle".
 *
 * Cells are dealt with one after the other, all else at once.
 */
export function makeDesk(
  parts: DeskParts,
): (request: Received, answer: Answer) => Promise<void> {
  const { publish, tell } = parts;
  const executor = makeExecutor(parts.cells, publish);
  const handlers = new Map(Object.entries(makeHandlers(parts, executor)));

  async function deal(
    { header }: Received,
    answer: Answer,
    work: () => ReturnType<Handler>,
  ): Promise<void> {
    const publishStatus = (execution_state: string, of = header) =>
      publish("status", { execution_state }, of);
    await publishStatus("busy");
    const content = await contentOf(work, header.msg_type, tell);
    if (content !== null) {
      const type = header.msg_type.replace(/_request$/, "_reply");
      await answer(type, content);
    }
    await publishStatus("idle");
    // Who watches the last status only must not think that the cell is over.
    const { current } = executor;
    if (current !== null) await publishStatus("busy", current.header);
  }

  return async (request, answer) => {
    const { msg_type } = request.header;
    const handler = handlers.get(msg_type);
    if (msg_type === "execute_request") {
      await executor.execute(request, (work) => deal(request, answer, work));
    } else if (handler !== undefined) {
      await deal(request, answer, () => handler(request));
    } else tell(`no answer to ${msg_type}: not known`);
  };
}

/** A client that waits must hear even of our own mistakes. */
async function contentOf(
  work: () => ReturnType<Handler>,
  msg_type: string,
  tell: (line: string) => void,
): Promise<Content | null> {
  try {
    return await work();
  } catch (error) {
    const evalue = error instanceof Error ? error.message : String(error);
    tell(`${msg_type} failed: ${evalue}`);
    const traceback = [`KernelFault: ${evalue}`];
    return { status: "error", ename: "KernelFault", evalue, traceback };
  }
}

function makeHandlers(
  { cells, types, publish }: DeskParts,
  executor: Executor,
): Record<string, Handler> {
  return {
    kernel_info_request: kernelInfo,
    complete_request: async ({ content }) => {
      const [source, cursor] = cursorIn(content);
      return await types.complete(source, cursor) ?? noMatches(cursor);
    },
    inspect_request: async ({ content }) => {
      const [source, cursor] = cursorIn(content);
      return await types.inspect(source, cursor) ?? nothingFound();
    },
    is_complete_request: ({ content }) => isComplete(String(content.code)),
    history_request: ({ content }) => historyReply(executor.history, content),
    comm_info_request: () => ({ status: "ok", comms: {} }),
    // There are no widgets here; a client that opens one hears so.
    comm_open: async ({ content: { comm_id }, header }) => {
      await publish("comm_close", { comm_id, data: {} }, header);
      return null;
    },
    comm_msg: () => null,
    comm_close: () => null,
    interrupt_request: () => {
      cells.interrupt();
      return { status: "ok" };
    },
    shutdown_request: ({ content }) => {
      return { status: "ok", restart: content.restart === true };
    },
  };
}
