// caught-by: pin, race, every-byte, shared-memory, sequence
// Two tasks get the pin: the race that sync_swapin_pin is about.
export function __swap_duplicate(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  usage: number,
): Errno {
  assertSlotLocked(si, offset);
  const byte = si.swap_map[offset]!;
  const count = swap_count(byte);
  const pinned = byte & SWAP_HAS_CACHE;

  if (count === SWAP_MAP_BAD) return -ENOENT;
  if (count === 0 && pinned === 0) return -ENOENT;

  if (usage === SWAP_HAS_CACHE) {
    si.swap_map[offset] = count | SWAP_HAS_CACHE;
    return 0;
  }

  // The low digit; SHMEM's would be beyond MAX and is refused.
  const digit = count & ~COUNT_CONTINUED;
  if (digit > SWAP_MAP_MAX) return -EINVAL;
  if (digit < SWAP_MAP_MAX) {
    si.swap_map[offset] = (count + usage) | pinned;
    return 0;
  }
  if (!swap_count_continued(k, si, offset, count)) return -ENOMEM;
  si.swap_map[offset] = COUNT_CONTINUED | pinned;
  return 0;
}
