import { isHttpUrl } from "./rules.js";

interface ConfigFields {
  version: number;
  name: string;
  service: string;
  server: string;
  baseUrl: string;
  loginUrl: string;
  setUrl: string;
  getUrl: string;
  limits: string;
  allowInsecure: boolean;
}

const SERVER_TYPE = "xrtc-server";

/** The service that the open dialog shows, else the one that was saved. */
const serviceOf = (node: ConfigFields): string =>
  String($("#node-config-input-service").val() ?? node.service);

const isServer = (id: string): boolean => RED.nodes.node(id)?.type === SERVER_TYPE;

const whenService = (service: string) =>
  function (this: EditorNode<ConfigFields>, value: string, _options: object): Verdict {
    return serviceOf(this) !== service || isHttpUrl(value) || this._("xrtc-config.invalid.url");
  };

RED.nodes.registerType<ConfigFields>("xrtc-config", {
  category: "config",
  defaults: {
    version: { value: 1 },
    name: { value: "" },
    service: { value: "hosted" },
    // The brackets make the editor carry the id over when flows are copied or imported, and spare this field the
    // button with which one adds a config node, which an xrtc-server is not.
    server: {
      value: "",
      type: "xrtc-server[]",
      validate(value, _options) {
        // In the dialog the choice stands in a list of its own until it is saved.
        const chosen = String($("#node-config-input-serverId").val() ?? value);
        return (
          serviceOf(this) !== "local" || isServer(chosen) || this._("xrtc-config.invalid.server")
        );
      },
    },
    baseUrl: { value: "", validate: whenService("custom") },
    loginUrl: { value: "", validate: whenService("urls") },
    setUrl: { value: "", validate: whenService("urls") },
    getUrl: { value: "", validate: whenService("urls") },
    limits: { value: "auto" },
    allowInsecure: { value: false },
  },
  credentials: {
    accountId: { type: "text" },
    apiKey: { type: "password" },
  },
  label() {
    return this.name || this._(`xrtc-config.service.${this.service}`);
  },
  oneditprepare() {
    listServers(this);
    $("#node-config-input-service")
      .on("change", () => {
        const service = serviceOf(this);
        $(".xrtc-config-row").each((_index, row) => {
          const services = String($(row).data("services")).split(" ");
          $(row).toggle(services.includes(service));
        });
        // What the other fields may hold depends on this one.
        $(".xrtc-config-row input").trigger("change");
      })
      .trigger("change");
  },
  oneditsave() {
    // The list shows some server even where none is meant.
    const isLocal = serviceOf(this) === "local";
    this.server = isLocal ? String($("#node-config-input-serverId").val() ?? "") : "";
  },
});

/** Fills the list of the xrtc-server nodes in all flows. */
function listServers(node: EditorNode<ConfigFields>): void {
  const list = $("#node-config-input-serverId");
  const servers = RED.nodes.filterNodes({ type: SERVER_TYPE });
  for (const { id, name, port, z } of servers) {
    const tab = RED.nodes.workspace(z ?? "")?.label ?? "";
    const text = `${name || "xrtc server"} (${[tab, port].filter(Boolean).join(", ")})`;
    $("<option>").val(id).text(text).appendTo(list);
  }
  if (servers.length === 0) {
    $("<option>").val("").text(node._("xrtc-config.noServer")).appendTo(list);
  }
  // With one server there is nothing to choose.
  list.val(isServer(node.server) ? node.server : (servers[0]?.id ?? ""));
}
