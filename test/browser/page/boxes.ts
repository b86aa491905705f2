/** What a dialog shows, as boxes on the screen. */

/** A run of text or a field, where it is seen. */
export interface Box {
  readonly owner: Element;
  readonly rect: DOMRect;
  /** How a report names it. */
  readonly name: string;
}

/** One line of text. */
export interface TextBox extends Box {
  readonly text: string;
}

/** The buttons that the editor puts beside a choice of configuration nodes. */
const OF_THE_EDITOR = "a[id*='-input-btn-']";

/** What a user types into, chooses from or presses; what stands inside of one belongs to it. */
const CONTROLS =
  ".red-ui-typedInput-container, input:not([type=hidden]), select, textarea, button, a.red-ui-button";

export const isSeen = (element: Element): boolean => {
  const { width, height, bottom } = element.getBoundingClientRect();
  // The editor keeps fields for password managers far above the page.
  if (bottom < -1_000) return false;
  const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  return shown && width > 1 && height > 1;
};

const short = (text: string): string => `"${text.trim().replace(/\s+/g, " ").slice(0, 40)}"`;

/** The lines of text below an element, without what lies in fields. */
export function textBoxes(root: Element): TextBox[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const boxes: TextBox[] = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const owner = node.parentElement;
    const text = node.textContent ?? "";
    if (owner === null || text.trim() === "" || owner.closest("option, textarea") !== null)
      continue;
    if (!isSeen(owner)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      if (rect.width > 0) boxes.push({ owner, rect, text, name: short(text) });
    }
  }
  return boxes;
}

const isWithin = (control: Element): boolean => Boolean(control.parentElement?.closest(CONTROLS));

/** The fields and buttons below an element. */
export function controlBoxes(root: Element): Box[] {
  return [...root.querySelectorAll(CONTROLS)]
    .filter((owner) => isSeen(owner) && !isWithin(owner) && !owner.matches(OF_THE_EDITOR))
    .map((owner) => ({ owner, rect: owner.getBoundingClientRect(), name: nameOf(owner) }));
}

/** How a report names a field. */
export function nameOf(control: Element): string {
  const tag = control.tagName.toLowerCase();
  const hidden = control.previousElementSibling?.id;
  if (control.id !== "") return `${tag}#${control.id}`;
  if (control.matches(".red-ui-typedInput-container")) return `typed input of #${hidden ?? "?"}`;
  return `${tag} ${short(control.textContent ?? "")}`;
}
