/**
 * One code cell of the page: its editor, its buttons, its status line and its
 * outputs. It knows nothing of workers: reader.ts decides what runs.
 */

import type { Output } from "../../lib/notebook/nbformat.ts";
import { highlight } from "./highlight.ts";
import { renderOutputs } from "./outputs.ts";
import type { Store } from "./store.ts";
import { strings } from "./strings.ts";

export type CellState = "idle" | "waiting" | "running" | "done" | "failed";

export interface CellView {
  readonly id: string;
  readonly element: HTMLElement;
  source(): string;
  /** Put outputs under the code in place of what is there. */
  show(outputs: readonly Output[]): void;
  /** One line under the code, read out by a screen reader. */
  tell(state: CellState, line: string): void;
  /** The source and the output that the book was built with. */
  reset(): void;
}

export interface CellActions {
  run(view: CellView): void;
  stop(): void;
  reset(view: CellView): void;
}

/** makeCellView() - bring one `.cell` of the built page to life. */
export function makeCellView(
  element: HTMLElement,
  store: Store,
  actions: CellActions,
): CellView {
  const id = element.id;
  const outputs = part(element, ".outputs");
  const status = part(element, ".status");
  const editor = makeEditor(element, id);
  const built = { source: editor.source(), html: outputs.innerHTML };

  const view: CellView = {
    id,
    element,
    source: editor.source,
    show: (list) => {
      outputs.innerHTML = renderOutputs(list, id);
      // The outcome of a prediction is folded until the cell has run.
      outputs.closest("details")?.setAttribute("open", "");
    },
    tell: (state, line) => {
      element.dataset.state = state;
      status.textContent = line;
      const stop = part<HTMLButtonElement>(element, "[data-do=stop]");
      const hadFocus = document.activeElement === stop;
      stop.disabled = state !== "running" && state !== "waiting";
      // A button that is switched off would drop the keyboard's place.
      if (hadFocus && stop.disabled) part(element, "[data-do=run]").focus();
    },
    reset: () => {
      editor.write(built.source);
      outputs.innerHTML = built.html;
      store.save(id, null);
    },
  };

  editor.onEdit((source) => {
    store.save(id, source === built.source ? null : source);
    if (element.dataset.state === "running") return;
    view.tell("idle", source === built.source ? "" : strings.edited);
  });
  editor.onRun(() => actions.run(view));
  listen(element, view, actions);
  const kept = store.load(id);
  if (kept !== null && kept !== built.source) {
    editor.write(kept);
    view.tell("idle", strings.edited);
  }
  return view;
}

function listen(
  element: HTMLElement,
  view: CellView,
  actions: CellActions,
): void {
  element.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-do]");
    if (button?.dataset.do === "run") actions.run(view);
    if (button?.dataset.do === "stop") actions.stop();
    if (button?.dataset.do === "reset") actions.reset(view);
  });
}

interface Editor {
  source(): string;
  write(source: string): void;
  onEdit(hear: (source: string) => void): void;
  onRun(hear: () => void): void;
}

/**
 * A text field with letters that cannot be seen, exactly over the coloured
 * code: the code gives the field its size, so it grows by itself. The Tab key
 * is not touched and leaves the field.
 */
function makeEditor(element: HTMLElement, id: string): Editor {
  const box = part(element, ".code");
  const code = part(element, ".code code");
  const field = document.createElement("textarea");
  field.value = code.textContent ?? "";
  field.spellcheck = false;
  field.autocapitalize = "off";
  field.setAttribute("autocorrect", "off");
  field.setAttribute("aria-label", strings.code(id));
  field.setAttribute("aria-describedby", "how-to-edit");
  // The field takes the focus and the name from the box that scrolls.
  for (const name of ["role", "tabindex", "aria-label"]) {
    box.removeAttribute(name);
  }
  part(box, ".sheet").append(field);

  // A last empty line has no height of its own without the space.
  const paint = () => code.innerHTML = highlight(field.value + " ");
  field.addEventListener("input", paint);
  paint();
  return {
    source: () => field.value,
    write: (source) => {
      field.value = source;
      paint();
    },
    onEdit: (hear) => field.addEventListener("input", () => hear(field.value)),
    onRun: (hear) =>
      field.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.shiftKey)) return;
        event.preventDefault();
        hear();
      }),
  };
}

/** part() - the first match inside; its absence is a fault of the build. */
export function part<T extends HTMLElement = HTMLElement>(
  inside: ParentNode,
  selector: string,
): T {
  const found = inside.querySelector<T>(selector);
  if (found === null) throw new TypeError(`the page has no ${selector}`);
  return found;
}
