/**
 * Light or dark: the system's choice until the reader makes one. The choice is
 * applied by a line in the page's head (book/page.ts), before the first paint.
 */

import { makeStore } from "./store.ts";

/** startTheme() - the toggle of the page's head. */
export function startTheme(): void {
  const button = document.querySelector<HTMLButtonElement>("#theme-toggle");
  if (button === null) return;
  const store = makeStore("swaplab:");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () =>
    root.dataset.theme === undefined
      ? system.matches
      : root.dataset.theme === "dark";
  const tell = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    store.save("theme", root.dataset.theme);
    tell();
  });
  system.addEventListener("change", tell);
  tell();
}
