import { CONFIG_RANGES, type ConfigNumber } from "../contract/ranges.js";
import { settingText, settingValue } from "./config-fields.js";
import { prepareRegistration } from "./config-registration.js";
import { prepareTest } from "./config-test.js";
import { showUsage } from "./config-usage.js";
import { closeDialog, isOpen, openDialog } from "./open-dialog.js";
import { type PresetChoice, valuesWhenBlank } from "./presets.js";
import { showRows } from "./rows.js";
import { isBlankOrWhole, isHttpUrl } from "./rules.js";

interface ConfigFields extends Record<ConfigNumber, string | number> {
  version: number;
  name: string;
  service: string;
  server: string;
  baseUrl: string;
  loginUrl: string;
  setUrl: string;
  getUrl: string;
  credentialsFrom: string;
  dotenvFile: string;
  tls: string;
  proxy: string;
  limits: string;
  allowInsecure: boolean;
}

type ConfigNodeInEditor = EditorNode<ConfigFields>;

const SERVER_TYPE = "xrtc-server";
const TABS = ["general", "network", "sending", "limits"] as const;

/** A number as a field or a flow has it; nothing in a node that is older than the field. */
type Written = string | number | undefined;

/** What the open dialog shows in a field, else what was saved. */
const shown = (node: ConfigNodeInEditor, field: keyof ConfigFields): string =>
  String((isOpen(node) ? settingValue(field) : undefined) ?? node[field] ?? "");

const isServer = (id: string): boolean => RED.nodes.node(id)?.type === SERVER_TYPE;

const urlFor = (service: string) =>
  function (this: ConfigNodeInEditor, value: string, _options: object): Verdict {
    return (
      shown(this, "service") !== service || isHttpUrl(value) || this._("xrtc-config.invalid.url")
    );
  };

const inRange = (field: ConfigNumber) =>
  function (this: ConfigNodeInEditor, value: Written, _options: object): Verdict {
    const { min, max } = CONFIG_RANGES[field];
    const range = { min: String(min), max: String(max) };
    return isBlankOrWhole(value, min, max) || this._("xrtc-config.invalid.range", range);
  };

/** The one rule about two numbers: a session that ended while a stream is open would never be renewed. */
const inRangeTogether = (field: "getTimeoutMs" | "sessionIdleMsMax") =>
  function (this: ConfigNodeInEditor, value: Written, options: object): Verdict {
    const verdict = inRange(field).call(this, value, options);
    if (verdict !== true) return verdict;
    const blank = valuesWhenBlank(choiceOf(this));
    const numberIn = (name: "getTimeoutMs" | "sessionIdleMsMax"): number =>
      Number((name === field ? String(value ?? "") : shown(this, name)).trim() || blank[name]);
    // Where one of them is no number it is told so itself.
    const isFine = !(numberIn("getTimeoutMs") >= numberIn("sessionIdleMsMax"));
    return isFine || this._("xrtc-config.invalid.stream");
  };

/** All on which it depends what a blank number stands for. */
function choiceOf(node: ConfigNodeInEditor): PresetChoice {
  const service = shown(node, "service");
  return {
    service,
    limits: shown(node, "limits"),
    url: shown(node, service === "urls" ? "setUrl" : "baseUrl"),
    serverPreset: RED.nodes.node(shown(node, "server"))?.preset ?? "",
    requestItemsMax: shown(node, "requestItemsMax"),
  };
}

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
      validate(_value, _options) {
        return (
          shown(this, "service") !== "local" ||
          isServer(shown(this, "server")) ||
          this._("xrtc-config.invalid.server")
        );
      },
    },
    baseUrl: { value: "", validate: urlFor("custom") },
    loginUrl: { value: "", validate: urlFor("urls") },
    setUrl: { value: "", validate: urlFor("urls") },
    getUrl: { value: "", validate: urlFor("urls") },
    credentialsFrom: { value: "fields" },
    dotenvFile: {
      value: "",
      validate(value, _options) {
        const isMeant =
          shown(this, "service") !== "local" && shown(this, "credentialsFrom") === "file";
        return !isMeant || value.trim() !== "" || this._("xrtc-config.invalid.dotenvFile");
      },
    },
    tls: { value: "", type: "tls-config", required: false },
    proxy: { value: "", type: "http proxy", required: false },
    limits: { value: "auto" },
    requestBytesMax: { value: "", validate: inRange("requestBytesMax") },
    lineBytesMax: { value: "", validate: inRange("lineBytesMax") },
    requestItemsMax: { value: "", validate: inRange("requestItemsMax") },
    requestsPerSecondMax: { value: "", validate: inRange("requestsPerSecondMax") },
    loginIntervalMsMin: { value: "", validate: inRange("loginIntervalMsMin") },
    getTimeoutMs: { value: "", validate: inRangeTogether("getTimeoutMs") },
    sessionIdleMsMax: { value: "", validate: inRangeTogether("sessionIdleMsMax") },
    lingerMs: { value: "", validate: inRange("lingerMs") },
    batchItemsMax: { value: "", validate: inRange("batchItemsMax") },
    attemptsMax: { value: "", validate: inRange("attemptsMax") },
    retrySecondsMax: { value: "", validate: inRange("retrySecondsMax") },
    monthRequestsMax: { value: "", validate: inRange("monthRequestsMax") },
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
    openDialog(this);
    prepareTabs(this);
    listServers(this);
    prepareRows(this);
    prepareTest(this);
    prepareRegistration(this);
    void showUsage(this);
  },
  oneditsave() {
    closeDialog();
    // The list shows some server even where none is meant.
    this.server = settingText("service") === "local" ? settingText("server") : "";
  },
  oneditcancel: closeDialog,
  oneditdelete: closeDialog,
});

function prepareTabs(node: ConfigNodeInEditor): void {
  const tabs = RED.tabs.create({
    id: "xrtc-config-tabs",
    onchange({ id }) {
      $("#xrtc-config-tabs-content").children().hide();
      $(`#${id}`).show();
    },
  });
  for (const tab of TABS) {
    tabs.addTab({ id: `xrtc-config-tab-${tab}`, label: node._(`xrtc-config.tab.${tab}`) });
  }
}

/** Keeps the rows that show, and what blank number fields stand for, to what is chosen. */
function prepareRows(node: ConfigNodeInEditor): void {
  const fill = (): void => showValuesWhenBlank(node);
  for (const field of ["service", "credentialsFrom", "serverId"]) {
    $(`#node-config-input-${field}`).on("change", refreshRows);
  }
  for (const field of ["service", "serverId", "baseUrl", "setUrl", "limits", "requestItemsMax"]) {
    $(`#node-config-input-${field}`).on("change keyup", fill);
  }
  refreshRows();
  fill();
}

function refreshRows(): void {
  showRows("#xrtc-config-dialog", {
    service: "#node-config-input-service",
    credentials: "#node-config-input-credentialsFrom",
  });
  const isMissing = settingText("service") === "local" && !isServer(settingText("server"));
  $("#node-config-input-serverId").toggleClass("input-error", isMissing);
}

function showValuesWhenBlank(node: ConfigNodeInEditor): void {
  for (const [field, value] of Object.entries(valuesWhenBlank(choiceOf(node)))) {
    const text = value === undefined ? node._("xrtc-config.noLimit") : String(value);
    $(`#node-config-input-${field}`).attr("placeholder", text);
  }
}

/** Fills the list of the xrtc-server nodes in all flows. */
function listServers(node: ConfigNodeInEditor): void {
  const list = $("#node-config-input-serverId");
  const servers = RED.nodes.filterNodes({ type: SERVER_TYPE });
  for (const { id, name, listen, port, path, z } of servers) {
    const tab = RED.nodes.workspace(z ?? "")?.label ?? "";
    // Port 0 is any that is free.
    const place = listen === "path" ? path : Number(port) === 0 ? "" : port;
    const where = [tab, place].filter(Boolean).join(", ");
    const text = `${name || "xrtc server"} (${where})`;
    $("<option>").val(id).text(text).appendTo(list);
  }
  if (servers.length === 0) {
    $("<option>").val("").text(node._("xrtc-config.noServer")).appendTo(list);
  }
  // With one server there is nothing to choose.
  list.val(isServer(node.server) ? node.server : (servers[0]?.id ?? ""));
}
