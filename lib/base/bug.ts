/**
 * What to do when the impossible happens. Linux prints an oops; here the
 * machine stops with an exception that carries its trace.
 *
 * Kernel: include/asm-generic/bug.h, include/linux/mmdebug.h (v6.12).
 * Differs: BUG_ON and VM_BUG_ON are always compiled in, and take the message.
 */

/** The engine broke one of its own rules: a bug in it, or a race found. */
export class KernelBug extends Error {
  override name = "KernelBug";
  /** The page's or the machine's last events, one a line; may be empty. */
  history: string;

  constructor(message: string, history = "") {
    super(history === "" ? message : `${message}\n${history}`);
    this.history = history;
  }
}

/** The laboratory cannot go on: deadlock, step limit, replay mismatch. */
export class SimError extends Error {
  override name = "SimError";
}

/** What went wrong; a function where the words have to be put together. */
type Message = string | (() => string);

/** Stop the machine if `condition` holds. */
export function BUG_ON(condition: boolean, message: Message): void {
  if (condition) stop(message);
}

/** As BUG_ON(); Linux checks these only with CONFIG_DEBUG_VM. */
export function VM_BUG_ON(condition: boolean, message: Message): void {
  if (condition) stop(message);
}

function stop(message: Message): never {
  throw new KernelBug(typeof message === "string" ? message : message());
}
