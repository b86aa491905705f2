import { isPropertyName, propertyNames, QUEUE_MAX, TTL_SECONDS_MAX } from "../contract/out.js";
import { closeDialog, openDialog, shown } from "./open-dialog.js";
import { isBlankOrPortalId, isBlankOrWhole } from "./rules.js";
import { typedLabel, typedPortal } from "./typed-portal.js";
import { typedVerdict } from "./typed-rule.js";

interface OutFields {
  version: number;
  name: string;
  config: string;
  portal: string;
  portalType: string;
  encode: string;
  properties: string;
  delivery: string;
  ttlSeconds: string | number;
  queueMax: string | number;
  acknowledge: boolean;
  outputs: number;
}

/** A field as text: a node that was saved before there was the field has nothing there. */
const given = (field: string | number | undefined): string => String(field ?? "").trim();

const writtenVerdict = (portal: string, node: { _(key: string): string }): Verdict =>
  isBlankOrPortalId(portal) || node._("xrtc-out.invalid.portal");

const areProperties = (list: string): boolean => propertyNames(list).every(isPropertyName);

const isBlankOrTtl = (text: string): boolean =>
  text === "" || (Number(text) > 0 && Number(text) <= TTL_SECONDS_MAX);

RED.nodes.registerType<OutFields>("xrtc-out", {
  category: "network",
  color: "#8fc9c4",
  defaults: {
    version: { value: 1 },
    name: { value: "" },
    config: { value: "", type: "xrtc-config", required: true },
    portal: {
      value: "",
      validate(value, _options) {
        const type = shown(this, "portalType") || "str";
        if (type === "str") return writtenVerdict(value, this);
        return typedVerdict(given(value), type) || this._("xrtc-out.invalid.expression");
      },
    },
    portalType: { value: "str" },
    encode: { value: "auto" },
    properties: {
      value: "",
      validate(value, _options) {
        return areProperties(given(value)) || this._("xrtc-out.invalid.properties");
      },
    },
    delivery: { value: "every" },
    ttlSeconds: {
      value: "",
      validate(value, _options) {
        return isBlankOrTtl(given(value)) || this._("xrtc-out.invalid.ttlSeconds");
      },
    },
    queueMax: {
      value: 1000,
      validate(value, _options) {
        const fine = isBlankOrWhole(value, QUEUE_MAX.min, QUEUE_MAX.max);
        return fine || this._("xrtc-out.invalid.queueMax");
      },
    },
    acknowledge: { value: false },
    outputs: { value: 0 },
  },
  inputs: 1,
  outputs: 0,
  icon: "xrtc-out.svg",
  align: "right",
  paletteLabel: "xrtc out",
  label() {
    return this.name || typedLabel(this.portal, this.portalType ?? "str") || "xrtc out";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  oneditprepare() {
    openDialog(this);
    typedPortal({
      field: "portal",
      label: this._("xrtc-out.portalType"),
      written: (value) => writtenVerdict(value, this),
    });
    $("#node-input-encode")
      .on("change", function () {
        // What is wrong must be in sight, whether it is needed or not.
        const isWrong = !areProperties(given($("#node-input-properties").val() as string));
        $("#xrtc-out-properties").toggle($(this).val() === "message" || isWrong);
      })
      .trigger("change");
    $("#node-input-acknowledge")
      .on("change", function () {
        // The editor takes the number of outputs from this field, and removes wires that have none any more.
        $("#node-input-outputs").val($(this).is(":checked") ? 1 : 0);
      })
      .trigger("change");
  },
  oneditsave: closeDialog,
  oneditcancel: closeDialog,
  oneditdelete: closeDialog,
});
