/** What a test asks of the page: bundled, and given to every page before its own scripts run. */

import { isSeen } from "./boxes.js";
import { contrastProblems } from "./contrast.js";
import { layoutProblems } from "./layout.js";
import { wordProblems } from "./words.js";

/** The dialog on top. */
function dialog(): Element {
  const forms = document.querySelectorAll("#dialog-form, #node-config-dialog-edit-form");
  const top = [...forms].findLast(isSeen);
  if (top === undefined) throw new Error("no dialog is open");
  return top;
}

/** Everything about the open dialog that somebody could stumble over, as sentences. */
export const problems = (): string[] => {
  const root = dialog();
  return [...layoutProblems(root), ...wordProblems(root), ...contrastProblems(root)];
};

/** Where the open dialog's fields are, in pixels: from its title to its last line. */
export function extent(): { x: number; y: number; width: number; height: number } {
  const form = dialog();
  const head = form.closest(".red-ui-tray")?.querySelector(".red-ui-tray-header") ?? form;
  const { x, y, width } = head.getBoundingClientRect();
  const rows = [...form.querySelectorAll("*")].filter(isSeen);
  const bottom = Math.max(0, ...rows.map((row) => row.getBoundingClientRect().bottom));
  return { x, y, width, height: Math.ceil(bottom - y) + 16 };
}

/**
 * The lists of the open dialog, with their values.
 *
 * @param prefix - of the ids of its fields; what follows names the setting
 */
export function lists(prefix: string): Record<string, string[]> {
  const all = [...dialog().querySelectorAll<HTMLSelectElement>(`select[id^="${prefix}"]:enabled`)];
  const seen = all.filter(isSeen);
  return Object.fromEntries(
    seen.map(({ id, options }) => [
      id.slice(prefix.length),
      [...options].map(({ value }) => value),
    ]),
  );
}

/** Adds to what the open dialog holds. */
export function insert(html: string): void {
  dialog().insertAdjacentHTML("beforeend", html);
}
