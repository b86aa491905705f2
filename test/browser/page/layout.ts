/** Finds text and fields that are cut off, or that lie on each other. */

import { controlBoxes, isSeen, nameOf, textBoxes, type Box } from "./boxes.js";

/** How far in pixels something may stick out before anybody sees it. */
const TOLERANCE = 1;
/** What the arrow of a list takes of its width, in pixels. */
const ARROW = 20;

export function layoutProblems(root: Element): string[] {
  const texts = textBoxes(root);
  const controls = controlBoxes(root);
  return [
    ...[...texts, ...controls].flatMap((box) => cutOff(box, root)),
    ...overlaps([...texts, ...controls]),
    ...controls.flatMap(({ owner }) => tooNarrow(owner)),
  ];
}

/** The nearest box in which an element's lines are laid out. */
function blockOf(element: Element): Element {
  let block = element;
  while (getComputedStyle(block).display === "inline" && block.parentElement !== null) {
    block = block.parentElement;
  }
  return block;
}

function cutOff({ owner, rect, name }: Box, root: Element): string[] {
  const block = blockOf(owner).getBoundingClientRect();
  if (rect.right > block.right + TOLERANCE || rect.left < block.left - TOLERANCE) {
    return [`${name} sticks out of its own place`];
  }
  // A field cuts off what is in it, but not itself.
  const first = isControl(owner) ? owner.parentElement : owner;
  for (let at = first; at !== null; at = at.parentElement) {
    const { overflowX, overflowY } = getComputedStyle(at);
    const edge = at.getBoundingClientRect();
    const isBeside = rect.right > edge.right + TOLERANCE || rect.left < edge.left - TOLERANCE;
    const isBelow = rect.bottom > edge.bottom + TOLERANCE || rect.top < edge.top - TOLERANCE;
    if (overflowX !== "visible" && isBeside) return [`${name} is cut off at the side`];
    if (["hidden", "clip"].includes(overflowY) && isBelow) return [`${name} is cut off in height`];
    if (at === root) break;
  }
  return [];
}

function overlaps(boxes: readonly Box[]): string[] {
  const found = new Set<string>();
  for (const [index, one] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) {
      // Lines of one paragraph may touch, and what is in a field lies on it.
      if (blockOf(one.owner) === blockOf(other.owner) && one.name === other.name) continue;
      if (isInside(one.owner, other.owner)) continue;
      const wide =
        Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left);
      const high =
        Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top);
      if (wide > TOLERANCE && high > 2 * TOLERANCE) found.add(`${one.name} lies on ${other.name}`);
    }
  }
  return [...found];
}

/** Whether one of two is a field that holds the other. */
const isInside = (one: Element, other: Element): boolean =>
  (isField(one) && one.contains(other)) ||
  (isField(other) && other.contains(one)) ||
  // A line of text, and a word in it that is marked.
  (!isControl(one) && !isControl(other) && blockOf(one) === blockOf(other));

const isField = (element: Element): boolean =>
  element.matches(".red-ui-typedInput-container, button, a.red-ui-button");

const isControl = (element: Element): boolean =>
  isField(element) || element.matches("input, select, textarea");

/** Whether what a field says without being asked fits into it: the hint, or every choice of a list. */
function tooNarrow(control: Element): string[] {
  if (control.matches(".red-ui-typedInput-container")) {
    return [...control.querySelectorAll("input, select")].filter(isSeen).flatMap(tooNarrow);
  }
  const style = getComputedStyle(control);
  const inner = control.clientWidth - pixels(style.paddingLeft) - pixels(style.paddingRight);
  const says = (text: string, room: number): string[] => {
    const needs = textWidth(text, style);
    if (needs <= room + TOLERANCE) return [];
    return [
      `${nameOf(control)}: "${text}" needs ${Math.ceil(needs)} of ${Math.floor(room)} pixels`,
    ];
  };
  if (control instanceof HTMLSelectElement) {
    return [...control.options].flatMap(({ text }) => says(text, inner - ARROW));
  }
  if (control instanceof HTMLInputElement) return says(control.placeholder, inner);
  return [];
}

const pixels = (length: string): number => Number.parseFloat(length) || 0;

const canvas = document.createElement("canvas");

function textWidth(text: string, { font, letterSpacing }: CSSStyleDeclaration): number {
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("no canvas to measure on");
  pen.font = font;
  return pen.measureText(text).width + text.length * pixels(letterSpacing);
}
