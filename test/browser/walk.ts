/** Tests of what a user does in the editor, from an example to the debug sidebar. */

import assert from "node:assert/strict";
import { picture } from "./pictures.js";
import { ACCOUNT_ID, API_KEY, startService, type Service } from "../support/service.js";
import type { Bench } from "./bench.js";
import { aWayThere, oneOfEach } from "./flows.js";

/** What somebody may fill into a dialog, in the order in which one comes by the fields. */
const FILLED = {
  "xrtc-out": {
    ...{ name: "door", portal: "hall", encode: "message", properties: "retain, qos" },
    ...{ delivery: "latest", ttlSeconds: "60", queueMax: "5" },
  },
  "xrtc-in": {
    ...{ name: "door", portals: "hall, attic", output: "message", start: "since" },
    ...{ since: "2026-01-31T12:00:00Z", schedule: "LIFO", mode: "probe", probeSeconds: "30" },
    ...{ cutoff: "1000" },
  },
  "xrtc-get": {
    ...{ name: "last", portals: "hall, attic", mode: "watch", schedule: "FIFO", cutoff: "1000" },
    ...{ result: "array", output: "json" },
  },
  "xrtc-server": {
    ...{ name: "mine", listen: "port", host: "127.0.0.1", port: "9000" },
    ...{ engine: "redis-aof", redisUrl: "redis://my.house:6379", preset: "hosted" },
  },
} satisfies Record<string, Record<string, string>>;

export function walkThrough(bench: Bench): void {
  const codes: string[] = [];
  let service: Service;

  before(async () => {
    service = await startService({
      log: ({ message }) => {
        const [, code] = /^registration code for .*: (\S+)$/.exec(message) ?? [];
        if (code !== undefined) codes.push(code);
      },
    });
  });

  beforeEach(() => bench.nodeRed.deploy([]));
  after(() => service[Symbol.asyncDispose]());

  it("imports the first example, whose badges turn green and whose items reach the debug sidebar", async () => {
    const { editor } = bench;
    await editor.load();
    await editor.importExample("01 First steps");
    await editor.openTab("XRTC: first steps");
    // Any free port: another program of this machine may have the usual one.
    const server = await editor.openDialog("xrtc-server");
    await server.type("port", "0");
    await server.done();
    await editor.deploy();
    await editor.badge("xrtc-server", "green", "127.0.0.1:");
    await editor.badge("xrtc-out", "green", "connected");
    await editor.badge("xrtc-in", "green", "connected");
    const [item] = await editor.debugged("item and latency", 2);
    assert.match(item ?? "", /number: \d+, latencyMs: \d+/);
    await editor.quiet();
    await picture("first-steps.png", (path) => editor.picture(path));
  });

  it("makes account and key for a server from the palette, shows the key once, and never again", async () => {
    const { editor } = bench;
    await editor.load();
    await editor.add("xrtc-server");
    const dialog = await editor.openDialog("xrtc-server");
    await dialog.type("port", "0");
    const told = await dialog.told("xrtc-server-key", "plain");
    const key = /\b\w{32}\b/.exec(told)?.[0] ?? assert.fail(told);
    assert.equal(await dialog.value("apiKey"), key);
    assert.match(await dialog.value("accountId"), /^AC\d{16}$/);
    await dialog.press("xrtc-server-copy-key");
    assert.deepEqual(await dialog.problems(), []);
    await dialog.done();
    await editor.deploy();
    await editor.badge("xrtc-server", "green", "127.0.0.1:");
    const again = await editor.openDialog("xrtc-server");
    assert.ok(!(await editor.page.content()).includes(key));
    assert.equal(await again.value("apiKey"), "__PWRD__");
    await again.press("xrtc-server-make-key");
    assert.doesNotMatch(await again.told("xrtc-server-key", "plain"), new RegExp(key));
    await again.cancel();
  });

  it("keeps what was filled into each dialog, deployed and loaded anew", async () => {
    const { editor, nodeRed } = bench;
    await nodeRed.deploy(oneOfEach());
    await editor.load();
    for (const [type, filled] of Object.entries(FILLED)) {
      const dialog = await editor.openDialog(type);
      for (const [name, value] of Object.entries(filled)) await dialog.set(name, value);
      assert.deepEqual(await dialog.problems(), [], type);
      await picture(`${type}.png`, (path) => dialog.picture(path));
      await dialog.done();
    }
    await editor.deploy();
    await editor.load();
    for (const [type, filled] of Object.entries(FILLED)) {
      const dialog = await editor.openDialog(type);
      for (const [name, value] of Object.entries(filled)) {
        assert.equal(await dialog.value(name), value, `${type} ${name}`);
        assert.equal(await dialog.isMarked(name), false, `${type} ${name}`);
      }
      await dialog.cancel();
    }
  });

  it("marks a portal id that no service takes, and says what one is made of", async () => {
    const { editor, nodeRed } = bench;
    await nodeRed.deploy(oneOfEach());
    await editor.load();
    for (const [type, field] of [
      ["xrtc-out", "portal"],
      ["xrtc-in", "portals"],
      ["xrtc-get", "portals"],
    ] as const) {
      const dialog = await editor.openDialog(type);
      await dialog.type(field, "kitchen-1");
      assert.equal(await dialog.isMarked(field), true, type);
      assert.match(await dialog.complaint(field), /1 to 32 ASCII letters and digits/);
      await dialog.type(field, "kitchen1");
      assert.equal(await dialog.isMarked(field), false, type);
      await dialog.cancel();
    }
  });

  it("marks a limit past what can be kept, and says what it may be", async () => {
    const { editor, nodeRed } = bench;
    await nodeRed.deploy(oneOfEach());
    await editor.load();
    const dialog = await editor.openConfigDialog("xrtc-out");
    await dialog.turnTo("Limits");
    await dialog.type("requestItemsMax", "1000000000");
    assert.equal(await dialog.isMarked("requestItemsMax"), true);
    assert.match(await dialog.complaint("requestItemsMax"), /from 1 to/);
    await dialog.type("requestItemsMax", "5");
    assert.equal(await dialog.isMarked("requestItemsMax"), false);
    await dialog.cancel();
  });

  it("tests a connection before it is deployed, and tells time, clock and portals", async () => {
    const { editor, nodeRed } = bench;
    await service.client().setItems([{ portalId: "kitchen", payload: "21.5" }]);
    await nodeRed.deploy(oneOfEach());
    await editor.load();
    const dialog = await editor.openConfigDialog("xrtc-out");
    await dialog.choose("service", "custom");
    await dialog.type("baseUrl", service.baseUrl);
    await dialog.type("accountId", ACCOUNT_ID);
    await dialog.type("apiKey", API_KEY);
    await dialog.press("xrtc-config-test");
    const told = await dialog.told("xrtc-config-test-result");
    assert.match(told, /\d ms/);
    assert.match(told, /kitchen/);
    await picture("xrtc-config-test.png", (path) => dialog.picture(path));
    await dialog.type("apiKey", API_KEY.toUpperCase());
    await dialog.press("xrtc-config-test");
    assert.match(await dialog.told("xrtc-config-test-result", "bad"), /XRTC_CREDENTIALS_REFUSED/);
    assert.deepEqual(await dialog.problems(), []);
    await dialog.cancel();
  });

  it("walks through registration, after which the new account carries an item", async () => {
    const { editor, nodeRed } = bench;
    await nodeRed.deploy(aWayThere(service.baseUrl));
    await editor.load();
    const dialog = await editor.openConfigDialog("xrtc-out");
    await dialog.press("xrtc-config-register");
    await dialog.fill("xrtc-config-email", "somebody@example.org");
    await dialog.press("xrtc-config-send-code");
    await dialog.told("xrtc-config-registration-result", "plain", /somebody@example\.org/);
    const code = codes.at(-1) ?? assert.fail("the server told no code");
    await dialog.fill("xrtc-config-code", code);
    assert.deepEqual(await dialog.problems(), []);
    await dialog.press("xrtc-config-finish");
    await dialog.told("xrtc-config-registration-result", "fine");
    assert.match(await dialog.value("accountId"), /^AC\d+$/);
    await dialog.done();
    const node = await dialog.below();
    await node.done();
    await editor.deploy();
    await editor.badge("xrtc-in", "green", "connected");
    await editor.press("inject");
    assert.deepEqual(await editor.debugged("what arrived", 1), [`"21.5"`]);
    await editor.badge("xrtc-out", "green", "connected");
  });
}
