/**
 * What each command of a workload does, page by page, as the program in the
 * recordings' guest does it. Ours.
 */
import { fillKernelPage, kernelRandom } from "./kernel_pages.ts";
import type { Process } from "./process.ts";
import {
  addGroup,
  chargeOwn,
  reclaimGroup,
  unchargeOwn,
} from "./reality_group.ts";
import type { Command } from "./reality_workload.ts";
import {
  makeRegion,
  type Region,
  unsupported,
  type Worker,
  type World,
} from "./reality_world.ts";

/** Told after each page that a command handled. */
export type OnPage = (world: World, command: Command, page: number) => void;

type Of<Op extends Command["op"]> = Command & { readonly op: Op };

const PAGE_SIZE = 4096;

/**
 * act() - do one command.
 *
 * Throws NotSupported for what the engine has not, ProcessKilled if memory and
 * swap are full.
 */
export function act(world: World, command: Command, onPage: OnPage): void {
  switch (command.op) {
    case "cg":
      return addGroup(world, command);
    case "spawn":
      return spawn(world, command);
    case "alloc":
      return alloc(world, command);
    case "write":
    case "read":
      return accessRange(world, command, onPage);
    case "touch":
      return touch(world, command, onPage);
    case "pageout":
      return pageOut(world, command, onPage);
    case "free":
      return free(world, command, onPage);
    case "fork":
      return fork(world, command);
    case "exit":
      return exit(world, command);
    case "reclaim":
      return reclaimGroup(world, command);
    case "settle":
      return world.machine.settle();
    case "map":
      return;
    default:
      unsupported(command, `${command.op}: the engine cannot do that`);
  }
}

function spawn(world: World, command: Of<"spawn">): void {
  const { workers } = world;
  const { process: name, group } = command;
  if (workers.has(name)) unsupported(command, `${name} is there already`);
  workers.set(name, { name, group, process: null, region: null });
  chargeOwn(world, group);
}

function workerOf({ workers }: World, command: Command, name: string): Worker {
  return workers.get(name) ?? unsupported(command, `no process ${name}`);
}

/** A worker that has memory. */
interface Owner extends Worker {
  process: Process;
  region: Region;
}

function ownerOf(world: World, command: Command, name: string): Owner {
  const worker = workerOf(world, command, name);
  if (worker.region === null) unsupported(command, `${name} has no memory`);
  return worker as Owner;
}

/** The worker of a command that names one, its region and pages of it. */
function target(
  world: World,
  command: Of<"write" | "read" | "free" | "pageout" | "touch">,
): Owner {
  const owner = ownerOf(world, command, command.process);
  const { name, kinds } = owner.region;
  if (name !== command.region) {
    unsupported(command, `${owner.name} has no region ${command.region}`);
  }
  if (command.op === "touch") return owner;
  if (command.start + command.count > kinds.length) {
    unsupported(command, `region ${name} has ${kinds.length} pages`);
  }
  return owner;
}

function alloc(world: World, command: Of<"alloc">): void {
  const worker = workerOf(world, command, command.process);
  if (worker.region !== null) unsupported(command, "a second region");
  const { region, pages, seed, mix } = command;
  worker.region = makeRegion(region, pages, seed, mix);
  const process = world.machine.spawn({ pages, name: worker.name });
  const { group } = worker;
  if (group !== null) {
    process.mm.memcg = world.groups.get(group) ??
      unsupported(command, `no group ${group}`);
  }
  worker.process = process;
}

/** Write a page anew, or compare it with what was written last. */
function accessPage(
  world: World,
  { process, region }: Owner,
  page: number,
  write: boolean,
): void {
  const { versions, kinds, seed } = region;
  const wanted = new Uint8Array(PAGE_SIZE);
  if (write) versions[page] = (versions[page]! % 255) + 1;
  const version = versions[page]!;
  if (version !== 0) {
    fillKernelPage(wanted, kinds[page]!, seed, page, version);
  }
  if (write) process.write(page, wanted);
  else if (!sameBytes(process.read(page), wanted)) world.bad++;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const x = new Uint32Array(a.buffer, a.byteOffset, PAGE_SIZE / 4);
  const y = new Uint32Array(b.buffer, b.byteOffset, PAGE_SIZE / 4);
  return x.every((word, i) => word === y[i]);
}

function accessRange(
  world: World,
  command: Of<"write" | "read">,
  onPage: OnPage,
): void {
  const owner = target(world, command);
  const { start, count, op } = command;
  for (let page = start; page < start + count; page++) {
    accessPage(world, owner, page, op === "write");
    onPage(world, command, page);
  }
}

function touch(world: World, command: Of<"touch">, onPage: OnPage): void {
  const owner = target(world, command);
  const pages = owner.region.kinds.length;
  const next = kernelRandom(command.seed, 0, 0);
  for (let i = 0; i < command.count; i++) {
    const draw = next();
    const hot = command.hot && draw % 100 < 80;
    const page = next() % (hot ? Math.floor(pages / 5) : pages);
    accessPage(world, owner, page, next() % 100 < command.writes);
    onPage(world, command, page);
  }
}

function pageOut(world: World, command: Of<"pageout">, onPage: OnPage): void {
  const { process } = target(world, command);
  const { start, count, each } = command;
  const step = each ? 1 : count;
  for (let page = start; page < start + count; page += step) {
    process.advise("pageout", page, page + step);
    onPage(world, command, page + step - 1);
  }
}

function free(world: World, command: Of<"free">, onPage: OnPage): void {
  const { process, region } = target(world, command);
  const { start, count } = command;
  process.advise("dontneed", start, start + count);
  region.versions.fill(0, start, start + count);
  onPage(world, command, start + count - 1);
}

function fork(world: World, command: Of<"fork">): void {
  const { process, region, group } = ownerOf(world, command, command.process);
  const name = command.child;
  if (world.workers.has(name)) unsupported(command, `${name} is there already`);
  const versions = region.versions.slice();
  chargeOwn(world, group);
  world.workers.set(name, {
    name,
    group,
    process: process.fork(),
    region: { ...region, versions },
  });
}

function exit(world: World, command: Of<"exit">): void {
  const worker = workerOf(world, command, command.process);
  worker.process?.exit();
  unchargeOwn(world, worker.group);
  world.workers.delete(command.process);
}
