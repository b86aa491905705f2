import { isBlankOrWhole } from "./rules.js";

interface ServerFields {
  version: number;
  name: string;
  port: string | number;
  preset: string;
}

RED.nodes.registerType<ServerFields>("xrtc-server", {
  category: "network",
  color: "#c9d6df",
  defaults: {
    version: { value: 1 },
    name: { value: "" },
    port: {
      value: 8480,
      validate(value, _options) {
        return isBlankOrWhole(value, 0, 65_535) || this._("xrtc-server.invalid.port");
      },
    },
    preset: { value: "local" },
  },
  credentials: {
    accountId: { type: "text" },
    apiKey: { type: "password" },
  },
  inputs: 0,
  outputs: 0,
  icon: "xrtc-server.svg",
  paletteLabel: "xrtc server",
  label() {
    return this.name || "xrtc server";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
});
