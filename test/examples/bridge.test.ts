import { strict as assert } from "node:assert";
import { Mosquitto, needsMosquitto } from "../support/mosquitto.js";
import { NodeRedProcess } from "../support/node-red-process.js";
import { ACCOUNT_ID, type Service, startService } from "../support/service.js";
import { CONNECTED, Example } from "./run.js";
import { Witness } from "./witness.js";

const MESSAGES = 1_000;
const TOPICS = 20;
const WAIT_MS_MAX = 60_000;

/** A site: its broker, a Node-RED with the bridge, and somebody who watches the broker. */
interface Site {
  readonly name: "a" | "b";
  readonly witness: Witness;
  readonly nodeRed: NodeRedProcess;
  readonly example: Example;
}

const KEYS = { a: "a".repeat(32), b: "b".repeat(32) } as const;

/** The example as somebody has set it up at one of two sites, with a service that is neither's own. */
const bridgeAt = (name: Site["name"], service: Service, broker: Mosquitto): Example =>
  Example.load("09")
    .withEnvironment({
      SITE: name,
      PORTAL_OUT: name === "a" ? "aToB" : "bToA",
      PORTAL_IN: name === "a" ? "bToA" : "aToB",
      MQTT_PORT: broker.port,
      // More than the test publishes: the rate has a test of its own.
      RATE: MESSAGES,
    })
    .with((node) => {
      if (node.type === "xrtc-server") return undefined;
      if (node.type !== "xrtc-config") return node;
      const credentials = { accountId: ACCOUNT_ID, apiKey: KEYS[name] };
      return { ...node, service: "custom", server: "", baseUrl: service.baseUrl, credentials };
    });

describe("two sites with the bridge of example 9", function () {
  this.timeout(120_000);
  /** What was started, oldest first. */
  const started: AsyncDisposable[] = [];
  let sites: readonly [Site, Site];

  before(async function () {
    needsMosquitto(this);
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: Object.values(KEYS) }];
    const service = keep(await startService({ accounts }));
    const site = async (name: Site["name"]): Promise<Site> => {
      const broker = keep(await Mosquitto.start());
      const witness = keep(await Witness.at(broker, "home/#"));
      const example = bridgeAt(name, service, broker);
      const nodeRed = keep(await NodeRedProcess.start({ flow: example.flow }));
      await nodeRed.badge(example.id("mqtt in", "all below the base"), CONNECTED);
      await nodeRed.badge(example.id("xrtc-in", "from the other site"), CONNECTED);
      return { name, witness, nodeRed, example };
    };
    sites = await Promise.all([site("a"), site("b")]);
    // Retained, so that a subscription that is only about to begin gets it, too.
    await acrossBothWays("first");
  });
  after(async () => {
    for (const each of started.toReversed()) await each[Symbol.asyncDispose]();
  });

  function keep<T extends AsyncDisposable>(one: T): T {
    started.push(one);
    return one;
  }

  /** Publishes one message at each site, and resolves when each has arrived at the other. */
  async function acrossBothWays(topic: string): Promise<void> {
    await Promise.all(
      sites.map(async ({ name, witness }) =>
        witness.publish(`home/${topic}-${name}/temperature`, `from ${name}`, true),
      ),
    );
    const [a, b] = sites;
    await a.witness.hears((one) => one.topic === `home/${topic}-b/temperature`);
    await b.witness.hears((one) => one.topic === `home/${topic}-a/temperature`);
  }

  const topicOf = (at: number): string => `home/room${at % TOPICS}/temperature`;

  it(`exchange ${MESSAGES} messages on ${TOPICS} topics each way: none is lost, none comes back, each topic keeps its order`, async () => {
    const numbers = Array.from({ length: MESSAGES }, (_, at) => at);
    await Promise.all(
      sites.flatMap(({ name, witness }) =>
        numbers.map(async (at) => witness.publish(topicOf(at), `${name} ${at}`)),
      ),
    );
    for (const { witness } of sites) {
      await witness.hears(({ payload }) => /^[ab] \d+$/.test(payload), 2 * MESSAGES, WAIT_MS_MAX);
    }
    // What a bridge had sent back would be there before these, which were published later.
    await acrossBothWays("second");
    await acrossBothWays("third");

    for (const { name, witness, nodeRed } of sites) {
      for (const sender of ["a", "b"]) {
        for (let topic = 0; topic < TOPICS; topic += 1) {
          const expected = numbers.filter((at) => at % TOPICS === topic);
          const heard = witness.heard
            .filter((one) => one.topic === topicOf(topic) && one.payload.startsWith(`${sender} `))
            .map(({ payload }) => Number(payload.slice(2)));
          assert.deepEqual(heard, expected, `${topicOf(topic)} from ${sender} at ${name}`);
        }
      }
      // The loop guard has seen what it is there for: all that the bridge had published here.
      await nodeRed.taken("held back", MESSAGES + 3);
      const held = nodeRed.debugged("held back").map(({ payload }) => payload);
      assert.deepEqual(held, Array(MESSAGES + 3).fill("came over the bridge"), name);
      assert.deepEqual(nodeRed.debugged("code and reason"), [], name);
    }
  });

  it("keep what is retained, so that who comes later finds it at the other site, too", () => {
    for (const { witness, name } of sites) {
      const other = name === "a" ? "b" : "a";
      const arrived = witness.heard.filter(({ topic }) => topic.startsWith(`home/first-${other}`));
      assert.deepEqual(
        arrived.map(({ retain }) => retain),
        [true],
        name,
      );
    }
  });
});
