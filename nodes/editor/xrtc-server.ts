import { isHost, isLoopbackHost, isRedisUrl, SERVER_PATH, serverPath } from "../contract/server.js";
import { closeDialog, openDialog, shown } from "./open-dialog.js";
import { showRows } from "./rows.js";
import { isBlankOrWhole, isVariable } from "./rules.js";
import { prepareKey } from "./server-key.js";

interface ServerFields {
  version: number;
  name: string;
  listen: string;
  host: string;
  port: string | number;
  tls: string;
  allowInsecure: boolean;
  path: string;
  hostNames: string;
  preset: string;
  engine: string;
  redisUrl: string;
}

type ServerNode = EditorNode<ServerFields>;

/** Nodes that were put into the workspace since it was loaded. */
const added = new Set<string>();

RED.nodes.registerType<ServerFields>("xrtc-server", {
  category: "network",
  color: "#c9d6df",
  defaults: {
    version: { value: 1 },
    name: { value: "" },
    listen: { value: "port" },
    host: {
      value: "127.0.0.1",
      validate(value, _options) {
        const bare = (value ?? "").trim().replace(/^\[(.*)\]$/, "$1");
        const isFine = bare === "" || isHost(bare) || isVariable(value);
        return shown(this, "listen") === "path" || isFine || this._("xrtc-server.invalid.host");
      },
    },
    port: {
      value: 8480,
      validate(value, _options) {
        return isBlankOrWhole(value, 0, 65_535) || this._("xrtc-server.invalid.port");
      },
    },
    tls: { value: "", type: "tls-config", required: false },
    allowInsecure: {
      value: false,
      validate(value, _options) {
        return isSafe(this, value) || this._("xrtc-server.invalid.insecure");
      },
    },
    path: {
      value: SERVER_PATH,
      validate(value, _options) {
        const isFine = serverPath(value ?? "") !== undefined || isVariable(value);
        return shown(this, "listen") !== "path" || isFine || this._("xrtc-server.invalid.path");
      },
    },
    hostNames: {
      value: "",
      validate(value, _options) {
        const names = (value ?? "").split(/[\s,;]+/).filter((name) => name !== "");
        const isFine = names.every(isHost) || isVariable(value);
        return isFine || this._("xrtc-server.invalid.hostNames");
      },
    },
    preset: { value: "local" },
    engine: { value: "memory" },
    redisUrl: {
      value: "",
      validate(value, _options) {
        const isMeant = !["", "memory"].includes(shown(this, "engine"));
        const isFine = (value ?? "").trim() === "" || isRedisUrl(value) || isVariable(value);
        return !isMeant || isFine || this._("xrtc-server.invalid.redisUrl");
      },
    },
  },
  credentials: {
    accountId: { type: "text" },
    apiKey: { type: "password" },
    redisPassword: { type: "password" },
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
  onadd() {
    added.add(this.id);
  },
  oneditprepare() {
    openDialog(this);
    const fields = "#node-input-listen, #node-input-engine, #node-input-host, #node-input-tls";
    $(fields).on("change keyup", refresh);
    refresh();
    prepareKey(this, added.has(this.id));
  },
  oneditsave() {
    closeDialog();
    added.delete(this.id);
  },
  oneditcancel: closeDialog,
  oneditdelete: closeDialog,
});

/** Brings the rows of the open dialog into line with what is chosen. */
function refresh(): void {
  showRows("#xrtc-server-dialog", {
    listen: "#node-input-listen",
    engine: "#node-input-engine",
  });
  const isPath = $("#node-input-listen").val() === "path";
  const isOpen = isPath || !isLoopbackHost(String($("#node-input-host").val() ?? ""));
  $("#xrtc-server-host-names").toggle(isOpen);
  $("#xrtc-server-insecure").toggle(isOpen && !isPath && !hasTls(tlsField()));
  // What these may hold depends on the other fields.
  $("#node-input-path, #node-input-allowInsecure, #node-input-redisUrl").trigger("change");
}

const tlsField = (): string => String($("#node-input-tls").val() ?? "");

/** A list of config nodes without a choice holds a word of the editor's own. */
const hasTls = (id: string): boolean => id !== "" && id !== "_ADD_";

/** Whether what goes over the network is encrypted, stays in this machine, or is meant not to. */
function isSafe(node: ServerNode, isAllowed: boolean | string): boolean {
  const isPrivate = shown(node, "listen") === "path" || isLoopbackHost(shown(node, "host"));
  return (
    isPrivate || isVariable(shown(node, "host")) || isAllowed === true || hasTls(shown(node, "tls"))
  );
}
