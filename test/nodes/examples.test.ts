import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfigSettings } from "../../nodes/lib/settings/config.js";
import { readGetSettings } from "../../nodes/lib/settings/get.js";
import { readInSettings } from "../../nodes/lib/settings/in.js";
import { readOutSettings } from "../../nodes/lib/settings/out.js";
import { readServerSettings } from "../../nodes/lib/settings/server.js";

import { plain, tableOf } from "../docs/readme.js";

const ROOT = join(__dirname, "../..");
const EXAMPLES = join(ROOT, "examples");

interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly wires?: readonly (readonly string[])[];
  readonly [property: string]: unknown;
}

const READERS: Readonly<Record<string, (definition: object) => unknown>> = {
  "xrtc-config": readConfigSettings,
  "xrtc-get": readGetSettings,
  "xrtc-in": readInSettings,
  "xrtc-out": readOutSettings,
  "xrtc-server": readServerSettings,
};

const examples = readdirSync(EXAMPLES).map((name) => ({
  name,
  flow: JSON.parse(readFileSync(join(EXAMPLES, name), "utf8")) as readonly FlowNode[],
}));

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** A node as Node-RED creates it: a field that is a reference to one of the tab's properties has its value. */
function inItsTab(node: FlowNode, byId: ReadonlyMap<string, FlowNode>): FlowNode {
  const variables = (byId.get(String(node["z"]))?.["env"] ?? []) as readonly Variable[];
  const values = new Map(variables.map(({ name, value }) => [`\${${name}}`, value]));
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, values.get(value as string) ?? value]),
  ) as unknown as FlowNode;
}

const ofType = (flow: readonly FlowNode[], type: string): FlowNode[] =>
  flow.filter((node) => node.type === type);

describe("the example flows", () => {
  for (const { name, flow } of examples) {
    const byId = new Map(flow.map((node) => [node.id, node]));

    it(`"${name}" is whole: each id once, each wire and each reference leads to a node`, () => {
      assert.equal(byId.size, flow.length);
      for (const { z, g, wires = [], config, broker, service, server, scope, type } of flow) {
        const others = Array.isArray(scope) ? (scope as string[]) : [];
        const local = service === "local" ? server : undefined;
        // Of a broker, the field of that name is its address.
        const used = [config, type === "mqtt-broker" ? undefined : broker, local];
        const references = [z, g, ...used, ...others, ...wires.flat()];
        for (const id of references.filter((each) => each !== undefined)) {
          assert.ok(byId.has(id as string), `${JSON.stringify(id)} is there`);
        }
      }
    });

    it(`"${name}" has settings that the nodes accept, of the present version, and no secret`, () => {
      for (const node of flow) {
        READERS[node.type]?.(inItsTab(node, byId));
        if (node.type in READERS) assert.equal(node["version"], 1);
        assert.ok(!("credentials" in node));
      }
    });
  }

  for (const { name, flow } of examples) {
    it(`"${name}" is one tab with properties, whose nodes stand in groups with numbered comments`, () => {
      const [tab, ...more] = ofType(flow, "tab");
      assert.deepEqual(more, []);
      assert.notDeepEqual(tab?.["env"], []);
      for (const node of flow) {
        if (node["x"] !== undefined && node.type !== "group") assert.ok(node["g"], node.type);
      }
      ofType(flow, "group").forEach(({ id, name: title }, at) => {
        assert.match(String(title), new RegExp(`^${at + 1} `));
        assert.ok(ofType(flow, "comment").some(({ g }) => g === id));
      });
      ofType(flow, "comment").forEach(({ name: text }, at) => {
        assert.match(String(text), new RegExp(`^${at + 1}\\. `));
      });
    });
  }

  it("are listed in the README, in the order of the menu", () => {
    assert.deepEqual(
      tableOf("Examples").map(([name]) => plain(name)),
      examples.map(({ name }) => name.replace(/\.json$/, "")),
    );
  });

  it("show every node type", () => {
    const shown = new Set(examples.flatMap(({ flow }) => flow.map(({ type }) => type)));
    for (const type of Object.keys(READERS)) assert.ok(shown.has(type), type);
  });
});

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the demo on the package as it was built last. */
const demo = (args: readonly string[], temporary: string): Promise<Ended> =>
  new Promise((resolve) => {
    const script = join(ROOT, "scripts/demo.mjs");
    const env = { ...process.env, TMPDIR: temporary };
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });

describe("the demo", () => {
  let temporary: string;
  before(() => (temporary = mkdtempSync(join(tmpdir(), "xrtc-demo-test-"))));
  after(() => rmSync(temporary, { recursive: true }));

  it("starts Node-RED, prints a line for each item that travels by itself, and ends", async () => {
    const { code, stdout, stderr } = await demo(["--items", "3"], temporary);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Node-RED [45]\.\d+\.\d+ on Node\.js v\d+/m);
    assert.match(stdout, /^Editor: http:\/\/127\.0\.0\.1:\d+\/$/m);
    const lines = stdout.match(/^item \d+ received, \d+\.\d ms from end to end$/gm);
    assert.equal(lines?.length, 3, stdout);
    const left = readdirSync(temporary).filter((name) => name.startsWith("xrtc-demo-"));
    assert.deepEqual(left, [], "its user directory is gone");
  });

  it("refuses an argument that makes no sense, and says how it is called", async () => {
    const { code, stderr } = await demo(["--items", "none"], temporary);
    assert.equal(code, 2);
    assert.match(stderr, /--items: expected a whole number/);
    assert.match(stderr, /npm run demo/);
  });
});
