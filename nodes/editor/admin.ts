/** Asks the runtime for what a dialog cannot know by itself. */

import type { ErrorAnswer } from "../contract/admin.js";

export type Answer<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: Refusal };

/** Why there is no value; the code is blank where no endpoint answered, or another than ours. */
export type Refusal = ErrorAnswer;

/** Milliseconds until the runtime has to answer; it gives its own requests up earlier. */
const ANSWER_MS_MAX = 45_000;

/**
 * @param path - relative to the editor, without a slash at its start
 * @param body - for a POST; without one it is a GET
 * @param translate - looks a key of the catalogue up, for what no endpoint can say
 */
export async function ask<Value>(
  path: string,
  body: object | undefined,
  translate: (key: string) => string,
): Promise<Answer<Value>> {
  try {
    // jQuery's request, because the editor adds the token of its login to that.
    const value = (await $.ajax({
      url: path,
      method: body === undefined ? "GET" : "POST",
      dataType: "json",
      timeout: ANSWER_MS_MAX,
      ...(body === undefined
        ? {}
        : { contentType: "application/json", data: JSON.stringify(body) }),
    })) as Value;
    return { ok: true, value };
  } catch (thrown) {
    return { ok: false, error: refusalOf(thrown as JQuery.jqXHR, translate) };
  }
}

const own = (message: string): Refusal => ({ code: "", message, remedy: "" });

function refusalOf(
  { status, responseJSON }: JQuery.jqXHR,
  translate: (key: string) => string,
): Refusal {
  const { code, message, remedy } = (responseJSON ?? {}) as Partial<Record<string, unknown>>;
  if (typeof code === "string" && typeof message === "string") {
    return { code, message, remedy: typeof remedy === "string" ? remedy : "" };
  }
  if (status === 401 || status === 403) return own(translate("xrtc-config.answer.permission"));
  if (status === 404) return own(translate("xrtc-config.answer.missing"));
  return own(translate("xrtc-config.answer.none"));
}
