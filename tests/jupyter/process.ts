/**
 * A kernel as a process: its connection file, its sockets' addresses, what it
 * writes to its terminal, its end. Ours.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";

/** As in a kernelspec's kernel.json, with the folder to start it in. */
export interface KernelSpec {
  /** Printed in errors. */
  name: string;
  /** `{connection_file}` stands for the path of the connection file. */
  argv: readonly string[];
  cwd: string;
  env?: Record<string, string>;
}

const CHANNELS = ["shell", "iopub", "control", "stdin", "hb"] as const;
type Channel = typeof CHANNELS[number];

export interface KernelProcess {
  readonly pid: number;
  readonly connectionFile: string;
  readonly key: string;
  /** Addresses to connect to. */
  readonly shell: string;
  readonly control: string;
  readonly iopub: string;
  /** Rejects when the process has ended, with what it wrote; never resolves. */
  readonly died: Promise<never>;
  /** What it wrote to its terminal so far, at most the last 4 KiB. */
  log(): string;
  /** Waits until it is gone, at most `patienceMs`, then kills it. */
  end(patienceMs: number): Promise<void>;
}

/**
 * startProcess() - writes the connection file and starts the kernel.
 *
 * @throws Error if the program cannot be started at all
 */
export async function startProcess(spec: KernelSpec): Promise<KernelProcess> {
  const key = randomUUID();
  const ports = await freePorts();
  const file = await Deno.makeTempFile({ prefix: "kernel-", suffix: ".json" });
  await Deno.writeTextFile(file, connectionText(ports, key));
  let child: Deno.ChildProcess;
  try {
    child = spawn(spec, file);
  } catch (error) {
    await Deno.remove(file);
    throw new Error(`Cannot start ${spec.name}: ${error}`);
  }
  const log = makeLog();
  const reading = Promise.all([log.read(child.stdout), log.read(child.stderr)]);
  const ended = reading.then(() => child.status);
  const died = ended.then((status): never => {
    throw new Error(
      `${spec.name} ended with code ${status.code}. It wrote:\n${log.text()}`,
    );
  });
  died.catch(() => {}); // Whoever waits for the kernel hears of it by race().

  async function end(patienceMs: number): Promise<void> {
    const timer = setTimeout(() => kill(child), patienceMs);
    await ended;
    clearTimeout(timer);
    await Deno.remove(file).catch(() => {}); // A second end() finds none.
  }

  const address = (channel: Channel) => `tcp://127.0.0.1:${ports[channel]}`;
  return {
    pid: child.pid,
    connectionFile: file,
    key,
    shell: address("shell"),
    control: address("control"),
    iopub: address("iopub"),
    died,
    log: log.text,
    end,
  };
}

function spawn(spec: KernelSpec, file: string): Deno.ChildProcess {
  const [program = "", ...args] = spec.argv.map((argument) =>
    argument.replace("{connection_file}", file)
  );
  return new Deno.Command(program, {
    args,
    cwd: spec.cwd,
    env: { NO_COLOR: "1", ...spec.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended, which is what was wanted.
  }
}

function makeLog() {
  let kept = "";
  async function read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      kept = (kept + decoder.decode(bytes, { stream: true })).slice(-4096);
    }
  }
  return { read, text: () => kept };
}

/** All are held open until the last is known, so that they differ. */
async function freePorts(): Promise<Record<Channel, number>> {
  const servers = CHANNELS.map(() => createServer());
  const ports = await Promise.all(
    servers.map((server) =>
      new Promise<number>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", () => {
          const address = server.address();
          resolve(typeof address === "object" ? address?.port ?? 0 : 0);
        });
      })
    ),
  );
  await Promise.all(
    servers.map((server) => new Promise((resolve) => server.close(resolve))),
  );
  const [shell = 0, iopub = 0, control = 0, stdin = 0, hb = 0] = ports;
  return { shell, iopub, control, stdin, hb };
}

function connectionText(ports: Record<Channel, number>, key: string): string {
  return JSON.stringify({
    transport: "tcp",
    ip: "127.0.0.1",
    key,
    signature_scheme: "hmac-sha256",
    shell_port: ports.shell,
    iopub_port: ports.iopub,
    control_port: ports.control,
    stdin_port: ports.stdin,
    hb_port: ports.hb,
    kernel_name: "",
  });
}
