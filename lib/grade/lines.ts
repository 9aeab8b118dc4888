/** Bytes to lines of text, with a bound on the length of a line. */
export interface LineSplitter {
  /** False if the line that is being collected is longer than allowed. */
  push(chunk: Uint8Array): boolean;
  /** The lines that are complete; each is given once. */
  take(): string[];
}

const newline = 10;

export function makeLineSplitter(maxBytes: number): LineSplitter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let lines: string[] = [];

  const hold = (part: Uint8Array): boolean => {
    held.push(part);
    heldBytes += part.length;
    return heldBytes <= maxBytes;
  };
  const finish = (): void => {
    const decoder = new TextDecoder();
    const stream = { stream: true };
    lines.push(held.map((part) => decoder.decode(part, stream)).join(""));
    held = [];
    heldBytes = 0;
  };

  return {
    push(chunk) {
      let from = 0;
      for (;;) {
        const to = chunk.indexOf(newline, from);
        if (to < 0) return hold(chunk.subarray(from));
        if (!hold(chunk.subarray(from, to))) return false;
        finish();
        from = to + 1;
      }
    },
    take() {
      const complete = lines;
      lines = [];
      return complete;
    },
  };
}
