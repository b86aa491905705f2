/** The dialog that is open: its node is judged by what the dialog shows, every other one by what was saved. */

import { showDefaults } from "./defaults.js";

let openId: string | undefined;

/** First of all in `oneditprepare`. */
export function openDialog(node: EditorNode<object>): void {
  openId = node.id;
  showDefaults(node);
}

/** In `oneditsave`, `oneditcancel` and `oneditdelete`. */
export function closeDialog(): void {
  openId = undefined;
}

export const isOpen = ({ id }: { readonly id?: string }): boolean =>
  openId !== undefined && id === openId;

/** What a field of any dialog holds now; undefined where there is no such field. */
export function fieldValue(selector: string): string | boolean | undefined {
  const field = $(selector);
  if (field.length === 0) return undefined;
  return field.attr("type") === "checkbox" ? field.is(":checked") : String(field.val() ?? "");
}

/** A setting of a node that is no config node, as text: blank in one that is older than the setting. */
export function shown<Fields>(node: EditorNode<Fields>, name: keyof Fields & string): string {
  const inDialog = isOpen(node) ? fieldValue(`#node-input-${name}`) : undefined;
  return String(inDialog ?? node[name] ?? "");
}
