/** Shows what came of a request in a place of the dialog that a screen reader speaks. */

import type { Refusal } from "./admin.js";

/** Lines of text, as they are: whatever a remote side put into them stays text. */
export function showLines(place: string, kind: "plain" | "fine" | "bad", lines: readonly string[]) {
  const box = $(place);
  box
    .empty()
    .toggleClass("xrtc-fine", kind === "fine")
    .toggleClass("xrtc-bad", kind === "bad");
  for (const line of lines.filter((each) => each !== "")) $("<div>").text(line).appendTo(box);
  box[0]?.scrollIntoView({ block: "nearest" });
}

/** What happened, what to do about it, and the code under which the README explains it. */
export function showRefusal(place: string, { code, message, remedy }: Refusal): void {
  showLines(place, "bad", [message, remedy]);
  const box = $(place);
  if (code !== "") $("<code>").text(code).appendTo($("<div>").appendTo(box));
  box[0]?.scrollIntoView({ block: "nearest" });
}

/** Runs a request with its button switched off, so that it is not sent twice; the button keeps the focus. */
export async function whileDisabled(button: string, request: () => Promise<void>): Promise<void> {
  const element = $(button);
  if (element.hasClass("disabled")) return;
  element.addClass("disabled").attr("aria-disabled", "true");
  try {
    await request();
  } finally {
    element.removeClass("disabled").removeAttr("aria-disabled");
  }
}
