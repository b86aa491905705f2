import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Message, NodeRedProcess } from "../support/node-red-process.js";
import { ACCOUNT_ID, startService } from "../support/service.js";
import { CONNECTED, Example } from "./run.js";

const ERRORS = "code and reason";

const payloadsOf = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

/** What a Catch node sends, in short. */
const codeOf = ({ error }: Message): unknown => (error as Message)["code"];

describe("the example flows, imported and deployed", function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let example: Example;

  before(async () => (nodeRed = await NodeRedProcess.start()));
  after(() => nodeRed[Symbol.asyncDispose]());

  /** Deploys an example as it is; only its server takes any port that is free. */
  async function deploy(number: string): Promise<void> {
    const loaded = Example.load(number);
    example = loaded.with((node) => (node.type === "xrtc-server" ? { ...node, port: 0 } : node));
    await nodeRed.deploy(example.flow);
  }

  const press = (button: string): Promise<void> => nodeRed.inject(example.id("inject", button));

  /** The next messages of one of the example's debug nodes. */
  const next = (debug: string): Promise<Message> => nodeRed.next(example.id("debug", debug));
  const taken = (debug: string, count: number): Promise<Message[]> =>
    nodeRed.taken(example.id("debug", debug), count);
  /** All that one of them has received. */
  const all = (debug: string): Message[] => nodeRed.debugged(example.id("debug", debug));

  const connected = (name: string): Promise<unknown> =>
    nodeRed.badge(example.id("xrtc-in", name), CONNECTED);

  it("1: numbered items travel by themselves, each with its latency", async () => {
    await deploy("01");
    await connected("get");
    await press("every second");
    const items = await taken("item and latency", 2);
    const [first, second] = payloadsOf(items) as Message[];
    assert.equal(second?.["number"], Number(first?.["number"]) + 1);
    assert.equal(typeof first?.["latencyMs"], "number");
    assert.deepEqual(all(ERRORS), []);
  });

  it("2: items are set, got when they are asked for, waited for, and listed", async () => {
    await deploy("02");
    await press("kitchen is at 21.5");
    await press("kitchen is at 21.5");
    await nodeRed.badge(example.id("xrtc-out", "set"), CONNECTED);
    await press("wait for the hall");
    await press("hall is at 18");
    assert.deepEqual(payloadsOf(await taken("each item", 1)), [18]);
    await press("what is new?");
    const kitchen = await taken("each item", 2);
    assert.deepEqual(payloadsOf(kitchen), [21.5, 21.5]);
    assert.deepEqual(
      kitchen.map(({ topic }) => topic),
      ["kitchen", "kitchen"],
    );
    await press("list portals");
    const [portals] = payloadsOf(await taken("list of portals", 1)) as [Message[]];
    assert.deepEqual(portals.map(({ portalid }) => portalid).toSorted(), ["hall", "kitchen"]);
    assert.deepEqual(all(ERRORS), []);
  });

  it("3: a stream, a watch and a probe bring the same items, in order and whole", async () => {
    await deploy("03");
    for (const name of ["stream", "watch", "probe"]) await connected(name);
    await press("every second");
    await press("every second");
    for (const name of ["by stream", "by watch", "by probe"]) {
      const items = payloadsOf(await taken(name, 2)) as Message[];
      const [first, second] = items;
      assert.equal(second?.["number"], Number(first?.["number"]) + 1, name);
      assert.ok(Number(first?.["latencyMs"]) >= 0, name);
    }
    assert.deepEqual(all(ERRORS), []);
  });

  it("4: rounds of ping-pong end with the round trip, and the way there and back", async () => {
    await deploy("04");
    await connected("ping");
    await connected("pong");
    await press("start");
    const { payload } = await next("result");
    const { rounds, roundTripMs, thereMs, backMs } = payload as Message;
    assert.equal(rounds, 20);
    const { least, median, most } = roundTripMs as Record<string, number>;
    assert.ok(Number(least) <= Number(median) && Number(median) <= Number(most));
    assert.ok(Number.isFinite(thereMs) && Number.isFinite(backMs), "one way each");
    assert.deepEqual(all(ERRORS), []);
  });

  it("4: two keys of one account have a session each", async () => {
    const keys = { "first key": "a".repeat(32), "second key": "b".repeat(32) };
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: Object.values(keys) }];
    await using service = await startService({ accounts });
    example = Example.load("04").with((node) => {
      if (node.type === "xrtc-server") return undefined;
      if (node.type !== "xrtc-config") return node;
      const apiKey = keys[node["name"] as keyof typeof keys];
      const credentials = { accountId: ACCOUNT_ID, apiKey };
      return { ...node, service: "custom", server: "", baseUrl: service.baseUrl, credentials };
    });
    await nodeRed.deploy(example.flow);
    await connected("ping");
    await connected("pong");
    await press("start");
    const { payload } = await next("result");
    assert.equal((payload as Message)["rounds"], 20);
    // Its clients close before the service does.
    await nodeRed.deploy([]);
  });

  it("5: a Buffer and a file come out byte by byte as they went in", async () => {
    await deploy("05");
    await connected("Buffer");
    await connected("whole message");
    await press("six bytes");
    const { payload } = await next("the same bytes");
    assert.deepEqual(payload, Buffer.from([0, 1, 127, 128, 254, 255]));

    await press("5,000 characters");
    await next("made");
    await press("send the file");
    await next("copied");
    const original = readFileSync(join(nodeRed.userDir, "xrtc-example.bin"));
    assert.equal(original.length, 5_000);
    assert.deepEqual(readFileSync(join(nodeRed.userDir, "xrtc-example-copy.bin")), original);
    assert.deepEqual(all(ERRORS), []);
  });

  it("6: twenty readings share a few requests of the hosted size, and all arrive in order", async () => {
    await deploy("06");
    await connected("as JSON");
    await press("every 5 seconds");
    const { payload: sent } = await next("messages and requests");
    const { round, messages, requests } = sent as Record<string, number>;
    assert.equal(messages, 20);
    assert.ok(Number(requests) < 10, `${requests} requests`);
    const { payload } = await nodeRed.seen(
      example.id("debug", "values"),
      (one) => (one["payload"] as Message)["round"] === round,
    );
    const { values } = payload as { values: Record<string, number> };
    assert.deepEqual(
      Object.keys(values),
      Array.from({ length: 20 }, (_, at) => `t${at + 1}`),
    );
    assert.deepEqual(all(ERRORS), []);
  });

  it("7: what cannot be sent is told at once, what does not fit into the queue, and what has waited too long", async () => {
    await deploy("07");
    await press("a bad portal name");
    assert.equal(codeOf(await next(ERRORS)), "XRTC_PORTAL_INVALID");
    await press("2,000 characters");
    assert.equal(codeOf(await next(ERRORS)), "XRTC_PAYLOAD_TOO_LARGE");

    await press("pause");
    await press("eight messages");
    const refused = await taken(ERRORS, 3);
    assert.deepEqual(refused.map(codeOf), Array(3).fill("XRTC_QUEUE_FULL"));
    assert.deepEqual(payloadsOf(refused), [6, 7, 8]);
    await press("resume");
    assert.deepEqual(payloadsOf(await taken("stored", 5)), [1, 2, 3, 4, 5]);

    await press("disconnect");
    await press("a message");
    const givenUp = await next(ERRORS);
    assert.deepEqual([codeOf(givenUp), givenUp["payload"]], ["XRTC_TIMEOUT", "now or never"]);
    await press("connect");
    await press("a message");
    assert.equal((await next("stored"))["payload"], "now or never");
  });

  it("8: the light follows the switch, and never a command older than three seconds", async () => {
    await deploy("08");
    await connected("the light");
    await press("on");
    assert.equal((await next("light"))["payload"], true);

    // The light's line is cut: the command waits for the light to come back.
    await press("cut the light's line");
    await press("off");
    await nodeRed.badge(example.id("xrtc-in", "the light"), { text: "paused (1)" });
    // The switch's line is cut: its command waits in the switch, and is given up after three seconds.
    await press("cut the switch's line");
    await press("off");
    assert.equal(codeOf(await next(ERRORS)), "XRTC_TIMEOUT");
    await press("mend the light's line");
    await press("mend the switch's line");
    await press("on");
    assert.equal((await next("light"))["payload"], true);
    assert.deepEqual(payloadsOf(all("light")), [true, true]);
  });
});
