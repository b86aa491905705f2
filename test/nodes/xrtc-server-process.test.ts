import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Flow, nodeRedHome, NodeRedProcess } from "../support/node-red-process.js";

/** What must not be seen by who may only read. */
const SECRETS = {
  apiKey: "CanaryKeyOfAServerUnderAPath0001",
  redisPassword: "canary-password-of-a-redis",
} as const;
const accountId = "AC7310000000000173";

const place = { z: "f1", x: 100, y: 100 };
const flow: Flow = [
  { id: "f1", type: "tab", label: "Server" },
  {
    id: "s1",
    type: "xrtc-server",
    ...place,
    listen: "path",
    hostNames: "my.house",
    wires: [],
    credentials: { accountId, ...SECRETS },
  },
  { id: "c1", type: "xrtc-config", service: "local", server: "s1" },
  { id: "i1", type: "xrtc-in", ...place, config: "c1", portals: "hall", wires: [["debug"]] },
  { id: "o1", type: "xrtc-out", ...place, config: "c1", portal: "hall", wires: [] },
  {
    id: "inject",
    type: "inject",
    ...place,
    props: [{ p: "payload" }],
    payload: "x",
    wires: [["o1"]],
  },
  { id: "status", type: "status", ...place, scope: ["s1"], wires: [["told"]] },
  ...["debug", "told"].map((id) => ({
    ...{ id, type: "debug", ...place, active: true, tosidebar: true, complete: "true" },
    ...{ targetType: "full", wires: [] },
  })),
];

const textOf = (status: unknown): string => (status as { text?: string } | undefined)?.text ?? "";

const requireThere = createRequire(join(nodeRedHome(), "package.json"));
const bcrypt = requireThere("bcryptjs") as { hashSync(text: string, rounds: number): string };
const basic = `Basic ${Buffer.from("me:door").toString("base64")}`;

describe("xrtc-server under a path of a real Node-RED", () => {
  it("stands behind its root, its body parser and its password, which its own nodes pass by", async function () {
    this.timeout(60_000);
    await using nodeRed = await NodeRedProcess.start({
      settings: {
        httpNodeRoot: "/api",
        httpNodeAuth: { user: "me", pass: bcrypt.hashSync("door", 4) },
      },
    });
    await nodeRed.deploy(flow);
    await nodeRed.badge("i1", { fill: "green", shape: "dot" });
    await nodeRed.inject("inject");
    const { payload } = await nodeRed.next("debug");
    assert.equal(payload, "x");
    // The Status node says the same as the badge.
    const { status: seen } = await nodeRed.seen("told", ({ status }) =>
      textOf(status).startsWith("/api/xrtc, 1 client"),
    );
    assert.ok(nodeRed.badges("s1").some(({ text }) => text === textOf(seen)));

    const url = `${nodeRed.url}api/xrtc/v1/auth/login`;
    const body = JSON.stringify({ accountid: accountId, apikey: "x".repeat(32) });
    const login = async (headers: Record<string, string>): Promise<[number, string]> => {
      const answer = await fetch(url, { method: "POST", body, headers });
      return [answer.status, await answer.text()];
    };
    const [stranger] = await login({});
    assert.equal(stranger, 401);
    const authorization = basic;
    for (const type of ["application/json", "text/plain"]) {
      const [status, answer] = await login({ authorization, "content-type": type });
      // It read the body: the key is wrong.
      assert.deepEqual([status, /"errorcode":35/.test(answer)], [400, true], type);
    }
    const form = { authorization, "content-type": "application/x-www-form-urlencoded" };
    const [status, answer] = await login(form);
    assert.deepEqual([status, /send it as application\/json/.test(answer)], [400, true]);
    const [page] = await login({ authorization, origin: "http://evil.example" });
    assert.equal(page, 403);

    const told = await Promise.all(
      ["flows", "flow/f1", "credentials/xrtc-server/s1", "diagnostics"].map(async (path) =>
        (await fetch(nodeRed.url + path)).text(),
      ),
    );
    assert.match(told[2] ?? "", /"has_apiKey":true/);
    told.push(nodeRed.lines.join("\n"), JSON.stringify(nodeRed.badges("s1")));
    told.push(readFileSync(join(nodeRed.userDir, "flows.json"), "utf8"));
    for (const [name, secret] of Object.entries(SECRETS)) {
      assert.deepEqual(
        told.map((each) => each.includes(secret)),
        told.map(() => false),
        name,
      );
    }
  });
});
