/**
 * Pages that look like English prose, from a small vocabulary. Ours.
 *
 * Words and set phrases come with the skew of natural language, in sentences
 * with capitals and commas, so that LZ4 about halves such a page. It stands
 * for the text and the markup that programs keep.
 */
import { nextBelow, type Rng } from "../sim/rng.ts";

/** One phrase a line, by popularity: the first ones come up most. */
const phrases = `the
of the page
in the swap cache
and
to the
a
is written to
that
memory
it was
on the disk
when the kernel
for
as long as
each process
from the list
not
reclaim
before the lock
has been freed
a swap slot
by then
which
is compressed
with
the oldest entry
an anonymous folio
are read back
only
in the pool
this
until
at the limit
a page fault
one more time
while
of memory pressure
another
is still mapped
the last reference
again
bytes
the same device
under the lock
waits for
small
counts
finds its way
the page table
never
without a copy
first
everything
on the other side
because
the compressed copy
between
system
goes to sleep
later
released
through
through the list
number
old
it holds
program
keeps
they
wakes up`.split("\n");

/** Fill `into` with sentences; the page's end cuts the last one. */
export function writeText(rng: Rng, into: Uint8Array): void {
  let at = 0;
  while (at < into.length) {
    const length = 3 + nextBelow(rng, 8);
    for (let i = 0; i < length; i++) {
      const next = writePhrase(into, at, pickPhrase(rng));
      // In ASCII a capital is its small letter without bit 5.
      if (i === 0) into[at]! &= ~0x20;
      at = writePhrase(into, next, punctuation(rng, i === length - 1));
    }
  }
}

/** The smaller of two draws: like common words, low ranks come up more. */
function pickPhrase(rng: Rng): string {
  const first = nextBelow(rng, phrases.length);
  const second = nextBelow(rng, phrases.length);
  return phrases[Math.min(first, second)]!;
}

function punctuation(rng: Rng, last: boolean): string {
  if (last) return nextBelow(rng, 6) === 0 ? ".\n" : ". ";
  return nextBelow(rng, 12) === 0 ? ", " : " ";
}

/** Returns where the next one goes; bytes past the end are dropped. */
function writePhrase(into: Uint8Array, at: number, phrase: string): number {
  for (let i = 0; i < phrase.length; i++) into[at + i] = phrase.charCodeAt(i);
  return at + phrase.length;
}
