import { isBlankOrPortalId } from "./rules.js";

interface OutFields {
  version: number;
  name: string;
  config: string;
  portal: string;
}

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
        return isBlankOrPortalId(value) || this._("xrtc-out.invalid.portal");
      },
    },
  },
  inputs: 1,
  outputs: 0,
  icon: "xrtc-out.svg",
  align: "right",
  paletteLabel: "xrtc out",
  label() {
    return this.name || this.portal || "xrtc out";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
});
