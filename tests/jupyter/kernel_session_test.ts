/** A whole session with our kernel, message by message. 4 s. */
import type { Content, Message } from "../../lib/notebook/kernel_wire.ts";
import { matchesGolden } from "../show/golden.ts";
import { type Kernel, startKernel } from "./client.ts";
import { swaplabKernel } from "./kernels.ts";

/** A request, its content, and the metadata that JupyterLab would send. */
type Step = [msg_type: string, content: Content, metadata?: Content];

const cell = (code: string, id: string, tags: string[] = []): Step => [
  "execute_request",
  { code, user_expressions: {} },
  { cellId: id, tags },
];

const SESSION: readonly Step[] = [
  ["kernel_info_request", {}],
  ["is_complete_request", { code: "for (const n of [1, 2]) {" }],
  cell(
    `import { makeMachine, show } from "swaplab";
/** Frames of the machine. */
let frames = 64;
console.log("frames", frames);
show("a display");
frames * 4096`,
    "first",
  ),
  ["complete_request", { code: "frames.toFi", cursor_pos: 11 }],
  ["inspect_request", { code: "makeMachine", cursor_pos: 4, detail_level: 0 }],
  cell(`frames = "many";`, "wrong"),
  cell(`frames = JSON.parse('"many"'); frames`, "right"),
  cell(`frames.toFixed(1)`, "throws", ["types-off"]),
  [
    "execute_request",
    { code: "", silent: true, user_expressions: { n: "frames" } },
  ],
  cell(
    `const show2 = (text: string, update: boolean) =>
  Deno.jupyter.display({ "text/plain": text }, { raw: true, display_id: "d", update });
await show2("10 %", false);
await show2("100 %", true);`,
    "progress",
  ),
  ["history_request", { hist_access_type: "tail", n: 2, output: false }],
  ["comm_info_request", {}],
];

Deno.test("a session with our kernel is the one recorded", async () => {
  const lines: string[] = [];
  await using kernel = await startKernel(swaplabKernel());
  for (const step of SESSION) lines.push(await told(kernel, step));
  const interrupt = kernel.published(({ content }) => content.text === "on\n");
  const running = told(
    kernel,
    cell(`console.log("on");\nfor (;;);`, "endless"),
  );
  await interrupt;
  await kernel.tell("interrupt_request", {});
  lines.push("control → interrupt_request {}\n", await running);
  lines.push(await told(kernel, cell("frames", "after")));
  matchesGolden("../jupyter/golden/session.txt", lines.join("\n"));
});

/** A request and all that it brought: the reply comes before "idle". */
async function told(kernel: Kernel, [type, content, metadata]: Step) {
  const { reply, published } = await kernel.ask(type, content, metadata);
  const asked = `shell → ${line(type, { ...content, ...metadata })}`;
  const answered = line(type.replace("request", "reply"), reply);
  // A cell is told to be busy again after what was answered meanwhile.
  const heard = [...new Set(published.map(publishedLine))];
  const idle = heard.pop() ?? "";
  return `${asked}\n${heard.join("")}shell ← ${answered}\n${idle}`;
}

function publishedLine({ header, content }: Message): string {
  return `  iopub ← ${line(header.msg_type, content)}\n`;
}

/** Values are shortened; versions of Deno differ from machine to machine. */
function line(type: string, content: Content): string {
  const text = JSON.stringify(content).replace(/Deno \d+\.\d+\.\d+/, "Deno N");
  return `${type} ${text.length > 900 ? `${text.slice(0, 900)}…` : text}`;
}
