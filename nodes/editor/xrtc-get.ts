import { showDefaults } from "./defaults.js";
import { portalSuggestions } from "./portals.js";
import { isBlankOrWhole, isPortalList, isVariable, portalIds } from "./rules.js";
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

type GetNodeInEditor = EditorNode<GetFields>;

/** Id of the node whose dialog is open: other nodes are judged by what was saved. */
let openId: string | undefined;

/** What the open dialog shows in a field, else what was saved; nothing in a node that is older than the field. */
const shown = (node: GetNodeInEditor, field: "mode" | "portalsType"): string => {
  const open = node.id !== undefined && node.id === openId;
  return String((open ? $(`#node-input-${field}`).val() : undefined) ?? node[field] ?? "");
};

/** What a node is called that has no name: its portals, or where they come from. */
function labelOf({ mode, portals, portalsType }: GetFields): string {
  if (mode === "all" || portals === "") return "xrtc get";
  if (portalsType === "str") return portalIds(portals).join(", ");
  return portalsType === "jsonata" ? portals : `${portalsType}.${portals}`;
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
    openId = this.id;
    showDefaults(this);
    const { listType } = portalSuggestions("#node-input-config");
    const written = {
      ...listType,
      label: this._("xrtc-get.portalsType"),
      // The rule a second time, because the message of the first hangs on a field that the editor hides.
      validate: (value: string): Verdict => writtenVerdict(value, this),
    };
    $("#node-input-portals").typedInput({
      default: "str",
      types: [written, "msg", "env", "flow", "global", "jsonata"],
      typeField: "#node-input-portalsType",
    });
    $("#node-input-mode")
      .on("change", function () {
        // All portals are all there is to ask for: the service takes neither portals nor an order then.
        $(".xrtc-get-some").toggle($(this).val() !== "all");
      })
      .trigger("change");
  },
  oneditsave() {
    openId = undefined;
  },
  oneditcancel() {
    openId = undefined;
  },
});
