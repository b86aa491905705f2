/** Account and key of a server: made here, shown once, and from then on kept by Node-RED alone. */

import { newAccountId, newApiKey } from "../../src/protocol/new-credentials.js";

const ACCOUNT = "#node-input-accountId";
const KEY = "#node-input-apiKey";
const MAKE = "#xrtc-server-make-key";
const SHOWN = "#xrtc-server-key";

/**
 * @param isNew - whether the node was never deployed: then it gets an account and a key of its own at once
 */
export function prepareKey(node: EditorNode<object>, isNew: boolean): void {
  $(MAKE).on("click", () => make(node));
  // What is shown is the key in the field, and no other.
  $(KEY).on("change keyup", () => {
    if (fieldText(KEY) !== $(SHOWN).find("code").text()) $(SHOWN).hide();
  });
  if (isNew && fieldText(ACCOUNT) === "" && fieldText(KEY) === "") make(node);
}

function make(node: EditorNode<object>): void {
  const apiKey = newApiKey(randomBytes);
  if (fieldText(ACCOUNT) === "") $(ACCOUNT).val(newAccountId(randomBytes)).trigger("change");
  $(KEY).val(apiKey).trigger("change");
  show(apiKey, node);
}

function show(apiKey: string, node: EditorNode<object>): void {
  const box = $(SHOWN).empty();
  $("<div>").text(node._("xrtc-server.key.once")).appendTo(box);
  const line = $("<div>").appendTo(box);
  $("<code>").text(apiKey).appendTo(line);
  const copy = $("<button type='button' id='xrtc-server-copy-key' class='red-ui-button'>")
    .text(node._("xrtc-server.key.copy"))
    .appendTo($("<div>").appendTo(box));
  copy.on("click", () => {
    RED.clipboard.copyText(apiKey, copy, "clipboard.copyMessageValue");
  });
  box.show();
}

const fieldText = (field: string): string => String($(field).val() ?? "").trim();

// Without HTTPS a browser has no more of its cryptography than this.
const randomBytes = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));
