import assert from "node:assert/strict";
import * as z from "zod";
import { readSettings, unsetVariable } from "../../../nodes/lib/saved-settings.js";
import { readConfigSettings } from "../../../nodes/lib/settings/config.js";
import { readInSettings } from "../../../nodes/lib/settings/in.js";
import { readOutSettings } from "../../../nodes/lib/settings/out.js";
import { readServerSettings } from "../../../nodes/lib/settings/server.js";
import { isXrtcError } from "../../../src/errors.js";

const base = { id: "n1", type: "t", z: "f1", x: 1, y: 2, wires: [[]], name: "" };

const refusedFor = (pattern: RegExp) => (error: unknown) =>
  isXrtcError(error, "XRTC_OPTIONS") && pattern.test(error.message);

describe("node settings", () => {
  it("give a node that was saved with nothing but its name the documented defaults", () => {
    assert.deepEqual(readInSettings({ ...base, config: "c1", portals: "hall" }), {
      version: 1,
      name: "",
      config: "c1",
      portals: ["hall"],
      dynamic: false,
      mode: "stream",
      probeSeconds: 60,
      schedule: "FIFO",
      cutoff: -1,
      start: "new",
      since: "",
      output: "auto",
      malformed: "error",
      gaps: false,
    });
    assert.deepEqual(readServerSettings(base), {
      version: 1,
      name: "",
      listen: "port",
      host: "127.0.0.1",
      port: 8480,
      tls: "",
      allowInsecure: false,
      path: "/xrtc",
      hostNames: [],
      preset: "local",
      engine: "memory",
      redisUrl: "",
    });
    assert.equal(readConfigSettings(base).service, "hosted");
    assert.deepEqual(readOutSettings({ ...base, config: "c1", portal: "hall" }), {
      version: 1,
      name: "",
      config: "c1",
      portal: "hall",
      portalType: "str",
      encode: "auto",
      properties: [],
      delivery: "every",
      ttlSeconds: null,
      queueMax: 1_000,
      acknowledge: false,
    });
  });

  it("take the text of a dialog's field as the number it means", () => {
    assert.equal(readServerSettings({ ...base, port: " 8481 " }).port, 8481);
    assert.equal(readServerSettings({ ...base, port: "" }).port, 8480);
    assert.equal(readInSettings({ ...base, portals: "a", cutoff: "250" }).cutoff, 250);
    assert.equal(readConfigSettings({ ...base, allowInsecure: "true" }).allowInsecure, true);
  });

  it("split a list of portals at commas and spaces, and name each once", () => {
    const { portals } = readInSettings({ ...base, portals: " hall, kitchen hall;attic " });
    assert.deepEqual(portals, ["hall", "kitchen", "attic"]);
  });

  it("refuse what the schema does not allow, and name the field", () => {
    assert.throws(() => readInSettings({ ...base, portals: "a b-c" }), refusedFor(/portals/));
    assert.throws(
      () => readInSettings({ ...base, portals: "" }),
      refusedFor(/at least one portal/),
    );
    assert.throws(
      () => readOutSettings({ ...base, portal: "a/b" }),
      refusedFor(/^xrtc-out: portal/),
    );
    const expression = { ...base, portal: "a/b", portalType: "jsonata" };
    assert.equal(readOutSettings(expression).portal, "a/b");
    assert.throws(() => readOutSettings({ ...base, portalType: "num" }), refusedFor(/portalType/));
    assert.throws(() => readOutSettings({ ...base, properties: "a, req" }), refusedFor(/retain/));
    assert.throws(() => readOutSettings({ ...base, queueMax: 0 }), refusedFor(/queueMax/));
    assert.throws(() => readOutSettings({ ...base, ttlSeconds: "0" }), refusedFor(/ttlSeconds/));
    assert.throws(() => readServerSettings({ ...base, port: "70000" }), refusedFor(/port/));
    assert.throws(() => readServerSettings({ ...base, port: "12x" }), refusedFor(/port/));
    assert.throws(() => readConfigSettings({ ...base, service: "moon" }), refusedFor(/service/));
  });

  it("refuse a misspelt setting instead of passing over it", () => {
    assert.throws(() => readOutSettings({ ...base, protal: "hall" }), refusedFor(/protal/));
  });

  it("pass over what Node-RED itself keeps in the definition of a node", () => {
    const extras = { d: false, g: "g1", l: true, info: "text", _alias: "x", inputLabels: ["a"] };
    assert.equal(readOutSettings({ ...base, ...extras, portal: "hall" }).portal, "hall");
  });

  it("name the variable when a field refers to one that is not set", () => {
    assert.throws(
      () => readOutSettings({ ...base, portal: "${XRTC_PORTAL}" }),
      refusedFor(/portal: the environment variable XRTC_PORTAL is not set/),
    );
    assert.equal(unsetVariable("$(OLD_STYLE)"), "OLD_STYLE");
    assert.equal(unsetVariable("costs ${5}"), undefined);
    assert.equal(unsetVariable(5), undefined);
  });

  it("refuse settings that a newer version of the package saved", () => {
    assert.throws(() => readOutSettings({ ...base, version: 2 }), refusedFor(/newer version/));
    assert.throws(() => readOutSettings({ ...base, version: "x" }), refusedFor(/version/));
  });

  it("lift old settings through one migration after another", () => {
    const settings = {
      type: "t",
      schema: z.strictObject({ version: z.literal(3), name: z.string(), room: z.string() }),
      migrations: [
        ({ place, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, rooms: [place] }),
        ({ rooms, ...rest }: Readonly<Record<string, unknown>>) => ({
          ...rest,
          room: (rooms as string[])[0],
        }),
      ],
    };
    const first = readSettings({ ...base, place: "hall" }, settings);
    const second = readSettings({ ...base, version: 2, rooms: ["hall"] }, settings);
    assert.deepEqual(first, { version: 3, name: "", room: "hall" });
    assert.deepEqual(second, first);
  });
});
