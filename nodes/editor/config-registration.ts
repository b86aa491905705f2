/** The button "Get a free key": an e-mail address, then the code that was sent to it, then account and key. */

import type { FinishAnswer, StartAnswer } from "../contract/admin.js";
import { ask } from "./admin.js";
import { settingText, presentFields } from "./config-fields.js";
import { showLines, showRefusal, whileDisabled } from "./results.js";

const RESULT = "#xrtc-config-registration-result";
const OPEN = "#xrtc-config-register";
const PANEL = "#xrtc-config-registration";
const EMAIL = "#xrtc-config-email";
const SEND = "#xrtc-config-send-code";
const CODE_STEP = "#xrtc-config-code-step";
const CODE = "#xrtc-config-code";
const FINISH = "#xrtc-config-finish";

/** Fields on which it depends who registers the account. */
const ADDRESS_FIELDS = ["service", "baseUrl"] as const;

export function prepareRegistration(node: EditorNode<object>): void {
  /** Names the registration that waits for its code. */
  let registration: string | undefined;

  const restart = (): void => {
    registration = undefined;
    $(CODE_STEP).hide();
    $(CODE).val("");
    $(SEND).text(node._("xrtc-config.registration.send"));
  };

  const send = async (): Promise<void> => {
    const email = typed(EMAIL);
    if (!/^\S+@\S+$/.test(email)) {
      showLines(RESULT, "bad", [node._("xrtc-config.registration.noEmail")]);
      $(EMAIL).trigger("focus");
      return;
    }
    showLines(RESULT, "plain", [node._("xrtc-config.registration.sending")]);
    // No account and no key: there are none yet.
    const { accountId: _none, apiKey: _neither, ...service } = presentFields(names(node));
    const body = { ...service, email };
    const answer = await ask<StartAnswer>("xrtc/registration/start", body, (key) => node._(key));
    if (!answer.ok) return showRefusal(RESULT, answer.error);
    registration = answer.value.registration;
    showLines(RESULT, "plain", [node._("xrtc-config.registration.sent", { email })]);
    $(SEND).text(node._("xrtc-config.registration.sendAgain"));
    $(CODE_STEP).show();
    $(CODE).val("").trigger("focus");
  };

  const finish = async (): Promise<void> => {
    const code = typed(CODE);
    if (registration === undefined || code === "") {
      showLines(RESULT, "bad", [node._("xrtc-config.registration.noCode")]);
      $(CODE).trigger("focus");
      return;
    }
    showLines(RESULT, "plain", [node._("xrtc-config.registration.finishing")]);
    const body = { registration, code };
    const answer = await ask<FinishAnswer>("xrtc/registration/finish", body, (key) => node._(key));
    if (!answer.ok) return showRefusal(RESULT, answer.error);
    const { accountId, apiKey } = answer.value;
    $("#node-config-input-accountId").val(accountId).trigger("change");
    $("#node-config-input-apiKey").val(apiKey).trigger("change");
    restart();
    toggle(false);
    showLines(RESULT, "fine", [node._("xrtc-config.registration.done", { accountId })]);
  };

  const toggle = (isOpen: boolean): void => {
    $(PANEL).toggle(isOpen);
    $(OPEN).attr("aria-expanded", String(isOpen));
    showLines(RESULT, "plain", []);
    if (isOpen) $(EMAIL).trigger("focus");
  };

  $(OPEN).on("click", () => toggle($(OPEN).attr("aria-expanded") !== "true"));
  $(SEND).on("click", () => void whileDisabled(SEND, send));
  $(FINISH).on("click", () => void whileDisabled(FINISH, finish));
  onEnter(EMAIL, SEND);
  onEnter(CODE, FINISH);
  // A code of one service is none of another's.
  let address = addressOf();
  for (const field of ADDRESS_FIELDS) {
    $(`#node-config-input-${field}`).on("change", () => {
      if (addressOf() === address) return;
      address = addressOf();
      restart();
      showLines(RESULT, "plain", []);
    });
  }
}

const typed = (field: string): string => String($(field).val() ?? "").trim();

const addressOf = (): string => JSON.stringify(ADDRESS_FIELDS.map(settingText));

const names = (node: EditorNode<object>): string[] => Object.keys(node._def.defaults);

/** The Enter key presses the button of the step, and does not close the dialog. */
function onEnter(field: string, button: string): void {
  $(field).on("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    $(button).trigger("click");
  });
}
