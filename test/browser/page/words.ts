/** Finds fields without a name, and texts that the catalogue does not have. */

import { controlBoxes, isSeen, nameOf, textBoxes } from "./boxes.js";

/** A catalogue's key, shown in place of its text. */
const KEY = /^(?:[\w-]+:)?[a-z][\w-]*(?:\.[\w-]+){1,}$/;

export function wordProblems(root: Element): string[] {
  const said = [
    ...textBoxes(root).map(({ text }) => text),
    ...[...root.querySelectorAll("[placeholder], [title], option")]
      .filter((element) => element.matches("option") || isSeen(element))
      .flatMap((element) => [
        element.getAttribute("placeholder") ?? "",
        element.getAttribute("title") ?? "",
        element.matches("option") ? (element.textContent ?? "") : "",
      ]),
  ];
  const keys = said.map((text) => text.trim()).filter((text) => KEY.test(text) && isKey(text));
  return [
    ...keys.map((key) => `${key} is a key and not a text`),
    ...controlBoxes(root).flatMap(({ owner }) =>
      isNamed(owner) ? [] : [`${nameOf(owner)} has no name`],
    ),
  ];
}

/** Host names look like keys. */
const isKey = (text: string): boolean => text.startsWith("xrtc-") || text.includes(":");

/** Whether somebody who does not see a field is told what it is for. */
function isNamed(control: Element): boolean {
  if (control.matches(".red-ui-typedInput-container")) {
    const original = control.previousElementSibling;
    return original !== null && isNamed(original);
  }
  const { labels } = control as HTMLInputElement;
  const label = control.id === "" ? null : document.querySelector(`label[for="${control.id}"]`);
  const named = ["aria-label", "aria-labelledby", "title"].some((name) =>
    control.hasAttribute(name),
  );
  const isButton = control.matches("button, a") && (control.textContent ?? "").trim() !== "";
  return (
    named ||
    isButton ||
    label !== null ||
    (labels !== undefined && labels !== null && labels.length > 0)
  );
}
