/**
 * What the reader changed, kept in this browser only. A page works the same
 * where storage is forbidden: then nothing is kept.
 */

export interface Store {
  load(name: string): string | null;
  /** null forgets. */
  save(name: string, value: string | null): void;
}

/** makeStore() - names are kept under one prefix, so that pages stay apart. */
export function makeStore(prefix: string): Store {
  return {
    load: (name) => guarded((kept) => kept.getItem(prefix + name)),
    save: (name, value) => {
      guarded((kept) => {
        if (value === null) kept.removeItem(prefix + name);
        else kept.setItem(prefix + name, value);
        return null;
      });
    },
  };
}

function guarded(use: (kept: Storage) => string | null): string | null {
  try {
    return use(localStorage);
  } catch {
    return null; // Forbidden or full: the page goes on without.
  }
}
