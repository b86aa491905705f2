import { strict as assert } from "node:assert";
import { Mosquitto, needsMosquitto } from "../support/mosquitto.js";
import { type Message, NodeRedProcess } from "../support/node-red-process.js";
import { CONNECTED, Example } from "./run.js";
import { Witness } from "./witness.js";

const GREY_OR_RED = { fill: "red" } as const;

type Values = Readonly<Record<string, string | number>>;

/** A broker, one of the bridges as it is imported, and somebody who watches the broker. */
class Trial implements AsyncDisposable {
  private constructor(
    readonly broker: Mosquitto,
    readonly witness: Witness,
    readonly example: Example,
    readonly nodeRed: NodeRedProcess,
  ) {}

  static async of(
    number: string,
    { nodeRed, base, values = {} }: { nodeRed: NodeRedProcess; base: string; values?: Values },
  ): Promise<Trial> {
    const broker = await Mosquitto.start();
    const witness = await Witness.at(broker, `${base}/#`);
    const port = { MQTT_PORT: broker.port };
    const example = Example.load(number).withEnvironment({ ...port, ...values });
    const trial = new Trial(broker, witness, example, nodeRed);
    try {
      await nodeRed.deploy(example.flow);
      for (const { id, type } of example.flow) {
        if (/^(?:mqtt (?:in|out)|xrtc-in)$/.test(type)) await nodeRed.badge(id, CONNECTED);
      }
      return trial;
    } catch (thrown) {
      await trial[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  press(button: string): Promise<void> {
    return this.nodeRed.inject(this.example.id("inject", button));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodeRed.deploy([]);
    await this.witness[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
  }
}

const short = ({ topic, payload, retain, origin }: Message): Message => ({
  topic,
  payload,
  retain,
  origin,
});

describe("the bridges, tried without hardware", function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  before(async function () {
    needsMosquitto(this);
    // A broker that comes back is tried soon.
    nodeRed = await NodeRedProcess.start({ settings: { mqttReconnectTime: 200 } });
  });
  after(() => nodeRed?.[Symbol.asyncDispose]());

  it("9: a reading crosses with topic, payload, retain and origin; a topic that is not on the list does not", async () => {
    await using trial = await Trial.of("09", { nodeRed, base: "home" });
    await trial.press("not on the list");
    const held = await nodeRed.next("held back");
    assert.deepEqual([held["topic"], held["payload"]], ["home/door/pin", "not on the list"]);
    await trial.press("a thermometer");
    assert.deepEqual(short(await nodeRed.next("has crossed")), {
      topic: "kitchen/temperature",
      payload: "21.5",
      retain: true,
      origin: "a",
    });
    assert.equal(nodeRed.debugged("has crossed").length, 1);
    assert.deepEqual(nodeRed.debugged("code and reason"), []);
  });

  it("9: a command from the other site is published here with its origin, and does not go back", async () => {
    await using trial = await Trial.of("09", { nodeRed, base: "home" });
    await trial.press("the other site's light");
    const [published] = await trial.witness.hears(() => true);
    assert.deepEqual(published, {
      topic: "home/kitchen/light/set",
      payload: "ON",
      retain: false,
      properties: { "xrtc-origin": "elsewhere" },
    });
    const held = await nodeRed.next("held back");
    assert.equal(held["payload"], "came over the bridge");
    assert.deepEqual(nodeRed.debugged("has crossed"), []);
  });

  it("9: of a topic that comes too fast the newest waits for its turn, and other topics do not", async () => {
    await using trial = await Trial.of("09", { nodeRed, base: "home", values: { RATE: 0.5 } });
    const { witness } = trial;
    const values = ["1", "2", "3", "4", "5"];
    await Promise.all(values.map(async (value) => witness.publish("home/hall/temperature", value)));
    await witness.publish("home/attic/temperature", "30");
    const crossed = await nodeRed.taken("has crossed", 3);
    assert.deepEqual(
      crossed.map(({ topic, payload }) => `${String(topic)} ${String(payload)}`),
      ["hall/temperature 1", "attic/temperature 30", "hall/temperature 5"],
    );
  });

  it("9: while the broker is away, what comes from the other site stays in its portal", async () => {
    await using trial = await Trial.of("09", { nodeRed, base: "home" });
    const { example, broker } = trial;
    const publish = example.id("mqtt out", "publish");
    await broker[Symbol.asyncDispose]();
    await nodeRed.badge(publish, GREY_OR_RED);
    await nodeRed.badge(example.id("xrtc-in", "from the other site"), { text: "paused" });
    await trial.press("the other site's light");
    await using again = await Mosquitto.start(broker.port);
    await using witness = await Witness.at(again, "home/#");
    const [published] = await witness.hears(() => true, 1, 30_000);
    assert.equal(published?.payload, "ON");
  });

  it("9: a portal that both sites write to does not make a loop", async () => {
    await using trial = await Trial.of("09", {
      nodeRed,
      base: "home",
      values: { PORTAL_IN: "aToB" },
    });
    await trial.press("a thermometer");
    const held = await nodeRed.next("held back");
    assert.equal(held["payload"], "sent by this site");
  });

  it("10: a command from afar switches the lamp, and its state goes back, but not the affairs of Zigbee2MQTT", async () => {
    await using trial = await Trial.of("10", { nodeRed, base: "zigbee2mqtt" });
    const { witness } = trial;
    await trial.press("Zigbee2MQTT's own");
    assert.equal((await nodeRed.next("held back"))["payload"], "affair of Zigbee2MQTT");

    await trial.press("on, from afar");
    const [state] = await witness.hears(({ topic }) => topic === "zigbee2mqtt/kitchen/lamp");
    assert.deepEqual(JSON.parse(state?.payload ?? ""), { state: "ON", linkquality: 120 });
    assert.equal(state?.retain, true);
    assert.deepEqual(short(await nodeRed.next("has crossed")), {
      topic: "kitchen/lamp",
      payload: '{"state":"ON","linkquality":120}',
      retain: true,
      origin: "devices",
    });
    assert.equal((await nodeRed.next("held back"))["payload"], "came over the bridge");

    await trial.press("the lamp is there");
    const availability = await nodeRed.next("has crossed");
    assert.equal(availability["topic"], "kitchen/lamp/availability");
    assert.deepEqual(nodeRed.debugged("code and reason"), []);
  });

  it("10: at the remote site it is the other way round", async () => {
    await using trial = await Trial.of("10", {
      nodeRed,
      base: "zigbee2mqtt",
      values: {
        ROLE: "remote",
        PORTAL_OUT: "zigbeeset",
        PORTAL_IN: "zigbeestate",
        CUTOFF_MS: -1,
      },
    });
    const { witness } = trial;
    await witness.publish("zigbee2mqtt/hall/lamp", '{"state":"OFF"}');
    assert.equal((await nodeRed.next("held back"))["payload"], "goes the other way");
    await witness.publish("zigbee2mqtt/hall/lamp/set", '{"state":"ON"}');
    await witness.publish("zigbee2mqtt/hall/lamp/get", '{"state":""}');
    const crossed = await nodeRed.taken("has crossed", 2);
    assert.deepEqual(
      crossed.map(({ topic }) => topic),
      ["hall/lamp/set", "hall/lamp/get"],
    );
  });
});
