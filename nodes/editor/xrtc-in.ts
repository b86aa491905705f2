import { PROBE_SECONDS, timeMs } from "../contract/in.js";
import { closeDialog, openDialog, shown } from "./open-dialog.js";
import { portalSuggestions } from "./portals.js";
import { showRows } from "./rows.js";
import { isBlankOrWhole, isPortalList, isVariable, portalIds } from "./rules.js";

interface InFields {
  version: number;
  name: string;
  config: string;
  portals: string;
  dynamic: boolean;
  mode: string;
  probeSeconds: string | number;
  schedule: string;
  cutoff: string | number;
  start: string;
  since: string;
  output: string;
  malformed: string;
  gaps: boolean;
  inputs: string | number;
  outputs: string | number;
}

RED.nodes.registerType<InFields>("xrtc-in", {
  category: "network",
  color: "#8fc9c4",
  defaults: {
    version: { value: 1 },
    name: { value: "" },
    config: { value: "", type: "xrtc-config", required: true },
    portals: {
      value: "",
      validate(value, _options) {
        if (isVariable(value) || isPortalList(value)) return true;
        if (portalIds(value).length > 0) return this._("xrtc-in.invalid.portals");
        return shown(this, "dynamic") === "true" || this._("xrtc-in.invalid.noPortal");
      },
    },
    dynamic: { value: false },
    mode: { value: "stream" },
    probeSeconds: {
      value: 60,
      validate(value, _options) {
        const { min, max } = PROBE_SECONDS;
        const bounds = { min: String(min), max: String(max) };
        const isFine = isVariable(value) || isBlankOrWhole(value, min, max);
        return isFine || this._("xrtc-in.invalid.probeSeconds", bounds);
      },
    },
    schedule: { value: "FIFO" },
    cutoff: {
      value: -1,
      validate(value, _options) {
        const isFine = isVariable(value) || isBlankOrWhole(value, -1, Number.MAX_SAFE_INTEGER);
        return isFine || this._("xrtc-in.invalid.cutoff");
      },
    },
    start: { value: "new" },
    since: {
      value: "",
      validate(value, _options) {
        if (shown(this, "start") !== "since" || isVariable(value)) return true;
        return timeMs(value ?? "") !== undefined || this._("xrtc-in.invalid.since");
      },
    },
    output: { value: "auto" },
    malformed: { value: "error" },
    gaps: { value: false },
    inputs: { value: 0 },
    outputs: { value: 1 },
  },
  inputs: 0,
  outputs: 1,
  outputLabels(index) {
    return this._(index === 0 ? "xrtc-in.port.items" : "xrtc-in.port.gaps");
  },
  icon: "xrtc-in.svg",
  paletteLabel: "xrtc in",
  label() {
    return this.name || portalIds(this.portals).join(", ") || "xrtc in";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  oneditprepare() {
    openDialog(this);
    portalSuggestions("#node-input-config").attach("#node-input-portals", { list: true });
    $("#xrtc-in-dialog").find("select, input[type=checkbox]").on("change", refresh);
    refresh();
  },
  oneditsave: closeDialog,
  oneditcancel: closeDialog,
  oneditdelete: closeDialog,
});

/** Brings everything in the open dialog into line with what is chosen. */
function refresh(): void {
  showRows("#xrtc-in-dialog", {
    mode: "#node-input-mode",
    start: "#node-input-start",
    output: "#node-input-output",
  });
  $("#node-input-inputs").val($("#node-input-dynamic").is(":checked") ? 1 : 0);
  $("#node-input-outputs").val($("#node-input-gaps").is(":checked") ? 2 : 1);
  // What these may hold depends on the other fields.
  $("#node-input-portals, #node-input-since").trigger("change");
}
