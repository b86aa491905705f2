/** The button "Test connection": tries what the dialog holds, deployed or not. */

import type { TestAnswer } from "../contract/admin.js";
import { ask } from "./admin.js";
import { presentFields } from "./config-fields.js";
import { showLines, showRefusal, whileDisabled } from "./results.js";

const RESULT = "#xrtc-config-test-result";
const BUTTON = "#xrtc-config-test";
/** Portals that the result names; an account of a local server may have a thousand. */
const PORTALS_SHOWN_MAX = 20;

export function prepareTest(node: EditorNode<object>): void {
  $(BUTTON).on("click", () => {
    void whileDisabled(BUTTON, () => test(node));
  });
  // A result is one of what the dialog held then.
  $("#xrtc-config-dialog").on("change", "[id^=node-config-input-]", () => {
    showLines(RESULT, "plain", []);
  });
}

async function test(node: EditorNode<object>): Promise<void> {
  showLines(RESULT, "plain", [node._("xrtc-config.test.running")]);
  const body = presentFields(Object.keys(node._def.defaults));
  const answer = await ask<TestAnswer>(`xrtc/config/${node.id}/test`, body, (key) => node._(key));
  if (answer.ok) showLines(RESULT, "fine", linesOf(answer.value, node));
  else showRefusal(RESULT, answer.error);
}

function linesOf(answer: TestAnswer, node: EditorNode<object>): string[] {
  const { roundTripMs, clockOffsetMs, portals } = answer;
  const shown = portals.slice(0, PORTALS_SHOWN_MAX).join(", ");
  const more = portals.length > PORTALS_SHOWN_MAX ? ", …" : "";
  return [
    node._("xrtc-config.test.roundTrip", { ms: inWords(roundTripMs) }),
    clockOffsetMs === null ? "" : clockLine(clockOffsetMs, node),
    portals.length === 0
      ? node._("xrtc-config.test.noPortals")
      : node._("xrtc-config.test.portals", { count: inWords(portals.length), ids: shown + more }),
  ];
}

function clockLine(offsetMs: number, node: EditorNode<object>): string {
  const ms = inWords(Math.abs(offsetMs));
  return offsetMs < 0
    ? node._("xrtc-config.test.clockBehind", { ms })
    : node._("xrtc-config.test.clockAhead", { ms });
}

const inWords = (value: number): string => Math.round(value).toLocaleString(RED.i18n.lang());
