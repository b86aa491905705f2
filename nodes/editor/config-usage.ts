/** How much of the month's requests is used, as a bar and in words. */

import type { StatusAnswer } from "../contract/admin.js";
import { ask } from "./admin.js";

const PLACE = "#xrtc-config-usage";

type Usage = NonNullable<StatusAnswer["usage"]>;

/** Shows the use of the deployed config node; nothing of it where it is not deployed, or nobody has used it yet. */
export async function showUsage(node: EditorNode<object>): Promise<void> {
  const answer = await ask<StatusAnswer>(`xrtc/config/${node.id}/status`, undefined, (key) =>
    node._(key),
  );
  const usage = answer.ok ? answer.value.usage : null;
  const place = $(PLACE).empty();
  if (usage === null) {
    $("<div>").addClass("xrtc-hint").text(node._("xrtc-config.usage.none")).appendTo(place);
    return;
  }
  const text = usageText(usage, node);
  if (usage.max !== null) barOf(usage, usage.max, text).appendTo(place);
  $("<div>").text(text).appendTo(place);
}

function barOf({ used, level }: Usage, max: number, text: string): JQuery {
  const percent = Math.min(100, (100 * used) / max);
  const bar = $("<div>")
    .addClass(`xrtc-bar xrtc-${level}`)
    .attr({ role: "progressbar", "aria-valuemin": 0, "aria-valuemax": max })
    .attr({ "aria-valuenow": used, "aria-label": text });
  return bar.append($("<div>").css("width", `${percent}%`));
}

function usageText({ used, max, month }: Usage, node: EditorNode<object>): string {
  const words = { used: count(used), month: monthName(month) };
  if (max === null) return node._("xrtc-config.usage.unlimited", words);
  const percent = Math.min(100, Math.floor((100 * used) / max));
  return node._("xrtc-config.usage.limited", {
    ...words,
    ...{ max: count(max), percent: String(percent) },
  });
}

const count = (value: number): string => value.toLocaleString(RED.i18n.lang());

/** `2026-11` in the user's language. */
const monthName = (month: string): string =>
  new Date(`${month}-01T00:00:00Z`).toLocaleDateString(RED.i18n.lang(), {
    ...{ month: "long", year: "numeric", timeZone: "UTC" },
  });
