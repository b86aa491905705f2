/** Finds text that stands out too little from what is behind it. */

import { isSeen, nameOf, textBoxes } from "./boxes.js";

/** What the Web Content Accessibility Guidelines ask for at level AA, for text of any size. */
const CONTRAST_MIN = 4.5;

/** Red, green and blue from 0 to 255, and opacity from 0 to 1. */
type Colour = readonly [red: number, green: number, blue: number, alpha: number];

const WHITE: Colour = [255, 255, 255, 1];

export function contrastProblems(root: Element): string[] {
  const found = new Set<string>();
  const look = (element: Element, name: string): void => {
    const ratio = contrastOf(element);
    if (ratio < CONTRAST_MIN) found.add(`${name} has a contrast of ${ratio.toFixed(2)}`);
  };
  for (const { owner, name } of textBoxes(root)) if (!isDisabled(owner)) look(owner, name);
  for (const field of root.querySelectorAll("input:not([type=checkbox]), select, textarea")) {
    if (isSeen(field) && !isDisabled(field)) look(field, nameOf(field));
  }
  return [...found];
}

/** What cannot be used may be pale. */
const isDisabled = (element: Element): boolean =>
  element.closest(":disabled, .disabled, [aria-disabled=true]") !== null;

function contrastOf(element: Element): number {
  const back = backgroundOf(element);
  const [red, green, blue, alpha] = parse(getComputedStyle(element).color);
  const front = over([red, green, blue, alpha * opacityOf(element)], back);
  const [light, dark] = [luminance(front), luminance(back)].toSorted((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

/** What lies behind an element: every layer down to the first that nothing shines through. */
function backgroundOf(element: Element | null): Colour {
  if (element === null) return WHITE;
  const own = parse(getComputedStyle(element).backgroundColor);
  return own[3] >= 1 ? own : over(own, backgroundOf(element.parentElement));
}

function opacityOf(element: Element | null): number {
  if (element === null) return 1;
  return Number(getComputedStyle(element).opacity) * opacityOf(element.parentElement);
}

function over([red, green, blue, alpha]: Colour, back: Colour): Colour {
  const mix = (front: number, behind: number): number => front * alpha + behind * (1 - alpha);
  return [mix(red, back[0]), mix(green, back[1]), mix(blue, back[2]), 1];
}

/** What was painted already. */
const painted = new Map<string, Colour>();
const canvas = document.createElement("canvas");

/** Any colour of CSS, as the canvas paints it: computed styles do not keep to one notation. */
function parse(colour: string): Colour {
  const known = painted.get(colour);
  if (known !== undefined) return known;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) throw new Error("no canvas to paint on");
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = pen.getImageData(0, 0, 1, 1).data;
  const parsed: Colour = [red, green, blue, alpha / 255];
  painted.set(colour, parsed);
  return parsed;
}

function luminance([red, green, blue]: Colour): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(value: number): number {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}
