import { isBlankOrWhole, isPortalList, portalIds } from "./rules.js";

interface InFields {
  version: number;
  name: string;
  config: string;
  portals: string;
  mode: string;
  schedule: string;
  cutoff: string | number;
  start: string;
  output: string;
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
      required: true,
      validate(value, _options) {
        return isPortalList(value) || this._("xrtc-in.invalid.portals");
      },
    },
    mode: { value: "stream" },
    schedule: { value: "FIFO" },
    cutoff: {
      value: -1,
      validate(value, _options) {
        const fine = isBlankOrWhole(value, -1, Number.MAX_SAFE_INTEGER);
        return fine || this._("xrtc-in.invalid.cutoff");
      },
    },
    start: { value: "new" },
    output: { value: "auto" },
  },
  inputs: 0,
  outputs: 1,
  icon: "xrtc-in.svg",
  paletteLabel: "xrtc in",
  label() {
    return this.name || portalIds(this.portals).join(", ") || "xrtc in";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
});
