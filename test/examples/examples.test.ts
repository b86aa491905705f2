import { strict as assert } from "node:assert";
import { type Message, NodeRedProcess } from "../support/node-red-process.js";
import { Example } from "./run.js";

/** The badge of a node that has its session. */
const CONNECTED = { fill: "green", text: "node-red:common.status.connected" } as const;

describe("the example flows, imported and deployed", function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;

  before(async () => (nodeRed = await NodeRedProcess.start()));
  after(() => nodeRed[Symbol.asyncDispose]());

  /** Deploys an example as it is; only its server takes any port that is free. */
  async function deploy(number: string): Promise<Example> {
    const example = Example.load(number).with((node) =>
      node.type === "xrtc-server" ? { ...node, port: 0 } : node,
    );
    await nodeRed.deploy(example.flow);
    return example;
  }

  const connected = (example: Example, type: string, name: string): Promise<unknown> =>
    nodeRed.badge(example.id(type, name), CONNECTED);

  it("1: numbered items travel by themselves, each with its latency", async () => {
    const example = await deploy("01");
    await connected(example, "xrtc-in", "get");
    await nodeRed.inject(example.id("inject", "every second"));
    const items = await nodeRed.taken("item and latency", 2);
    const [first, second] = items.map(({ payload }) => payload as Message);
    assert.equal(second?.["number"], Number(first?.["number"]) + 1);
    assert.equal(typeof first?.["latencyMs"], "number");
    assert.deepEqual(nodeRed.debugged("code and reason"), []);
  });
});
