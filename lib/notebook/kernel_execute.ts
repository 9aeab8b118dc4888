/**
 * `execute_request`: one cell after the other, in the order in which they were
 * asked for. Ours.
 *
 * Everything that a cell puts out is with ZeroMQ before its reply and its idle
 * status are. When a cell fails whose request says `stop_on_error`, all that
 * wait behind it are answered "aborted": that is how "Run all" stops.
 */
import type { CellRunner } from "./kernel_cells.ts";
import { errorIn } from "./kernel_frames.ts";
import { makeOutlet } from "./kernel_outlet.ts";
import type { Publish } from "./kernel_sockets.ts";
import { isUnchecked } from "./kernel_types.ts";
import type { Content, Received } from "./kernel_wire.ts";
import type { ErrorOutput } from "./nbformat.ts";

/** A cell that was asked for, for `history_request`. */
export interface HistoryEntry {
  count: number;
  source: string;
}

/** Answers a request with what `work` gives; work() may be called late. */
export type Deal = (work: () => Promise<Content>) => Promise<void>;

export interface Executor {
  /** When all before it are dealt with, deals with a request by running it. */
  execute(request: Received, deal: Deal): Promise<void>;
  /** The request whose cell runs, or null. */
  readonly current: Received | null;
  readonly history: readonly HistoryEntry[];
}

/** What an execute_request asks for, with what a client left out. */
interface Wanted {
  code: string;
  silent: boolean;
  storeHistory: boolean;
  stopOnError: boolean;
  expressions: Record<string, string>;
  id: string | null;
  isUnchecked: boolean;
}

/** Publishes something of one request. */
type Tell = (msg_type: string, content: Content) => Promise<void>;

export function makeExecutor(cells: CellRunner, publish: Publish): Executor {
  const history: HistoryEntry[] = [];
  let count = 0;
  let last: Promise<unknown> = Promise.resolve();
  let current: Received | null = null;
  /** Raised by each failure; a request of an older round is not run. */
  let round = 0;

  async function run(request: Received, ofRound: number): Promise<Content> {
    const wanted = wantedBy(request);
    if (ofRound !== round) {
      return { status: "aborted", execution_count: count };
    }
    current = request;
    if (wanted.storeHistory) {
      count++;
      history.push({ count, source: wanted.code });
    }
    const tell: Tell = (msg_type, content) =>
      publish(msg_type, content, request.header);
    const content = await runShown({ ...wanted, count }, cells, tell)
      .finally(() => current = null);
    if (content.status === "error" && wanted.stopOnError) round++;
    return content;
  }

  return {
    execute(request, deal) {
      const ofRound = round;
      const dealt = last.then(() => deal(() => run(request, ofRound)));
      last = dealt.catch(() => {});
      return dealt;
    },
    get current() {
      return current;
    },
    history,
  };
}

function wantedBy({ content, metadata }: Received): Wanted {
  const silent = content.silent === true;
  const expressions = content.user_expressions ?? {};
  return {
    code: String(content.code ?? ""),
    silent,
    storeHistory: !silent && content.store_history !== false,
    stopOnError: content.stop_on_error !== false,
    expressions: { ...expressions as Record<string, string> },
    id: typeof metadata.cellId === "string" ? metadata.cellId : null,
    isUnchecked: isUnchecked(String(content.code), metadata.tags),
  };
}

async function runShown(
  wanted: Wanted & { count: number },
  cells: CellRunner,
  publish: Tell,
): Promise<Content> {
  const { code, count, expressions, isUnchecked } = wanted;
  if (!wanted.silent) {
    await publish("execute_input", { code, execution_count: count });
  }
  const outlet = makeOutlet(publish, count);
  const errors: ErrorOutput[] = [];
  const request = { id: wanted.id ?? `cell-${count}`, source: code };
  const user_expressions = await cells.run(
    { ...request, expressions, isUnchecked },
    async (events) => {
      errors.push(...events.map(errorIn).filter((one) => one !== null));
      if (!wanted.silent) await outlet.take(events);
    },
  );
  await outlet.flush();
  const execution_count = count;
  const [error] = errors;
  if (error === undefined) {
    return { status: "ok", execution_count, payload: [], user_expressions };
  }
  const { ename, evalue, traceback } = error;
  return { status: "error", execution_count, ename, evalue, traceback };
}
