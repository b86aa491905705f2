/**
 * Loaded by the settings of a Node-RED under test: tells the process that started it what its debug nodes receive, which
 * badges its nodes have and when its flows have started. The flows themselves stay as they are.
 */
const { inspect } = require("node:util");

/** @param {object} report */
function tell(report) {
  if (!process.connected) return;
  try {
    process.send(report);
  } catch {
    // A message may hold what cannot be sent, such as a function; its picture can.
    process.send({ ...report, msg: { payload: inspect(report.msg) } });
  }
}

/**
 * @param {object} runtime Node-RED's own utilities, as it uses them itself
 * @param {import("node:events").EventEmitter} runtime.events
 * @param {any} runtime.hooks
 */
exports.install = ({ events, hooks }) => {
  hooks.add("onReceive.tap", ({ msg, destination: { node } }) => {
    if (node.type === "debug") tell({ kind: "debug", id: node.id, name: node.name ?? "", msg });
  });
  events.on("node-status", ({ id, status }) => tell({ kind: "status", id, status }));
  events.on("flows:stopped", () => tell({ kind: "stopped" }));
  events.on("flows:started", () => tell({ kind: "started" }));
  // Nobody is left who would end this process.
  process.once("disconnect", () => process.exit(1));
};
