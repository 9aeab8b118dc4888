/**
 * A control group as a shell sees it: a directory with files. Ours.
 *
 *   const web = machine.cgroup("web", { files: { "memory.max": "1M" } });
 *   const process = machine.spawn({ pages: 400, cgroup: web });
 *   web.read("memory.current");
 *   web.write("memory.reclaim", "64K");
 *   web.remove();
 *
 * File names and units are those of cgroup v2: bytes, "max" for no limit.
 */
import { type Errno, errnoName } from "../base/errno.ts";
import { makeCgroup, removeCgroup } from "../mm/memcontrol_css.ts";
import {
  memory_current_read,
  memory_events_show,
  memory_high_write,
  memory_max_write,
  memory_reclaim,
  swap_current_read,
  swap_events_show,
  swap_high_write,
  swap_max_write,
  zswap_current_read,
  zswap_max_write,
  zswap_writeback_write,
} from "../mm/memcontrol_files.ts";
import { memory_stat_show } from "../mm/memcontrol_stat.ts";
import type { Kernel, MemCgroup, TaskStruct } from "../mm/mm_types.ts";
import type { Task } from "../sim/task.ts";
import type { Machine } from "./machine.ts";

type Writer = (
  k: Kernel,
  memcg: MemCgroup,
  text: string,
) => Errno | Task<Errno>;

/** Files that can be written. */
const writers = {
  "memory.max": memory_max_write,
  "memory.high": memory_high_write,
  "memory.reclaim": memory_reclaim,
  "memory.swap.max": (_, memcg, text) => swap_max_write(memcg, text),
  "memory.swap.high": (_, memcg, text) => swap_high_write(memcg, text),
  "memory.zswap.max": (_, memcg, text) => zswap_max_write(memcg, text),
  "memory.zswap.writeback": (_, memcg, text) =>
    zswap_writeback_write(memcg, text),
} satisfies Record<string, Writer>;

/** Files that hold one number, in bytes. */
const numbers = {
  "memory.current": memory_current_read,
  "memory.swap.current": swap_current_read,
  "memory.zswap.current": zswap_current_read,
};

/** Files of many numbers, by their names. */
const tables = {
  "memory.stat": memory_stat_show,
  "memory.events": (_: Kernel, memcg: MemCgroup) => memory_events_show(memcg),
  "memory.swap.events": (_: Kernel, memcg: MemCgroup) =>
    swap_events_show(memcg),
};

export type WritableFile = keyof typeof writers;
export type NumberFile = keyof typeof numbers;
export type TableFile = keyof typeof tables;

export interface CgroupOptions {
  /** The group that it is in; the root group. */
  readonly parent?: Cgroup;
  /** What is written to its files when it is made. */
  readonly files?: Readonly<Partial<Record<WritableFile, string | number>>>;
}

export interface Cgroup {
  readonly name: string;
  readonly memcg: MemCgroup;
  /**
   * Write to a file, as `echo 1M > memory.max` does.
   *
   * Returns 0, or -EAGAIN if memory.reclaim could not free so much. Throws
   * RangeError for text that the kernel refuses.
   */
  write(file: WritableFile, value: string | number): Errno;
  /** One number, in bytes. */
  read(file: NumberFile): number;
  /** All numbers of a file. */
  table(file: TableFile): Readonly<Record<string, number>>;
  /** Remove it, as rmdir does. Throws TypeError while somebody is in it. */
  remove(): void;
}

/** Who writes to the files; not a reclaimer, and in the root group. */
function shell(): TaskStruct {
  return { comm: "sh", mm: null, cpu: 0, flags: 0 };
}

function checkFile(file: string, known: object): void {
  if (Object.hasOwn(known, file)) return;
  throw new TypeError(
    `cgroup: no such file "${file}"; there are ${
      Object.keys(known).join(", ")
    }`,
  );
}

/** Make a group in the machine. */
export function addCgroup(
  machine: Machine,
  name: string,
  { parent, files = {} }: CgroupOptions = {},
): Cgroup {
  const { k } = machine;
  const memcg = makeCgroup(k, parent?.memcg ?? k.root_mem_cgroup, name);
  const cgroup: Cgroup = {
    name,
    memcg,
    write: (file, value) => writeFile(machine, memcg, file, String(value)),
    read: (file) => {
      checkFile(file, numbers);
      return numbers[file](memcg);
    },
    table: (file) => {
      checkFile(file, tables);
      return tables[file](k, memcg);
    },
    remove: () => removeNow(machine, memcg),
  };
  for (const [file, value] of Object.entries(files)) {
    cgroup.write(file as WritableFile, value);
  }
  return cgroup;
}

function writeFile(
  machine: Machine,
  memcg: MemCgroup,
  file: WritableFile,
  text: string,
): Errno {
  checkFile(file, writers);
  const written = writers[file](machine.k, memcg, text);
  const result = typeof written === "number"
    ? written
    : machine.run(written, shell());
  if (result === 0 || file === "memory.reclaim") return result;
  throw new RangeError(`${file}: "${text}" gives ${errnoName(result)}`);
}

function removeNow(machine: Machine, memcg: MemCgroup): void {
  const result = machine.run(removeCgroup(machine.k, memcg), shell());
  if (result === 0) return;
  throw new TypeError(`Cannot remove ${memcg.name}: ${errnoName(result)}`);
}
