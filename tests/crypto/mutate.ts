/** Damaged blocks, for the decoder's tests and for bench/lz4_safety.ts. */
import { nextBelow, nextUint32, type Rng } from "swaplab/sim/rng.ts";

/** Damage a block: flip bits, cut it, lengthen it or put in noise. */
export function mutate(rng: Rng, block: Uint8Array): Uint8Array {
  const keep = nextBelow(rng, 8) === 0 ? nextBelow(rng, block.length + 1) : -1;
  const result = block.slice(0, keep < 0 ? block.length : keep);
  for (let times = nextBelow(rng, 4); times >= 0; times--) {
    if (result.length === 0) return result;
    const at = nextBelow(rng, result.length);
    const how = nextBelow(rng, 4);
    if (how === 0) result[at] = 255;
    else if (how === 1) result[at] = 0;
    else if (how === 2) result[at] = nextUint32(rng);
    else result[at]! ^= 1 << nextBelow(rng, 8);
  }
  return result;
}
