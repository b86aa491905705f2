import { closeDialog, openDialog, shown } from "./open-dialog.js";
import { showRows } from "./rows.js";
import { isBlankOrWhole, isPortalList, isVariable, portalIds } from "./rules.js";
import { typedLabel, typedPortal } from "./typed-portal.js";
import { typedVerdict } from "./typed-rule.js";

interface GetFields {
  version: number;
  name: string;
  config: string;
  mode: string;
  portals: string;
  portalsType: string;
  schedule: string;
  cutoff: string | number;
  result: string;
  output: string;
  malformed: string;
}

function labelOf({ mode, portals, portalsType }: GetFields): string {
  if (mode === "all") return "xrtc get";
  const text = portalsType === "str" ? portalIds(portals).join(", ") : portals;
  return typedLabel(text, portalsType) || "xrtc get";
}

const writtenVerdict = (portals: string, node: { _(key: string): string }): Verdict =>
  portals.trim() === "" ||
  isVariable(portals) ||
  isPortalList(portals) ||
  node._("xrtc-get.invalid.portals");

RED.nodes.registerType<GetFields>("xrtc-get", {
  category: "network",
  color: "#8fc9c4",
  defaults: {
    version: { value: 1 },
    name: { value: "" },
    config: { value: "", type: "xrtc-config", required: true },
    mode: { value: "probe" },
    portals: {
      value: "",
      validate(value, _options) {
        if (shown(this, "mode") === "all") return true;
        const type = shown(this, "portalsType") || "str";
        if (type === "str") return writtenVerdict(value ?? "", this);
        return typedVerdict((value ?? "").trim(), type) || this._("xrtc-get.invalid.expression");
      },
    },
    portalsType: { value: "str" },
    schedule: { value: "LIFO" },
    cutoff: {
      value: -1,
      validate(value, _options) {
        const fine = isVariable(value) || isBlankOrWhole(value, -1, Number.MAX_SAFE_INTEGER);
        return fine || this._("xrtc-get.invalid.cutoff");
      },
    },
    result: { value: "each" },
    output: { value: "auto" },
    malformed: { value: "error" },
  },
  inputs: 1,
  outputs: 1,
  icon: "xrtc-get.svg",
  paletteLabel: "xrtc get",
  label() {
    return this.name || labelOf(this);
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  oneditprepare() {
    openDialog(this);
    typedPortal({
      field: "portals",
      label: this._("xrtc-get.portalsType"),
      isList: true,
      written: (value) => writtenVerdict(value, this),
    });
    $("#node-input-mode, #node-input-output").on("change", refreshRows);
    refreshRows();
  },
  oneditsave: closeDialog,
  oneditcancel: closeDialog,
  oneditdelete: closeDialog,
});

/** All portals are all there is to ask for: the service takes neither portals nor an order then. */
function refreshRows(): void {
  showRows("#xrtc-get-dialog", { mode: "#node-input-mode", output: "#node-input-output" });
}
