import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawRequest, rawService, type Script } from "../support/raw-service.js";
import { scaledClock } from "../support/scaled-clock.js";
import { catchAll, complete, config, credentials, get, input, out, sink, tab } from "./flows.js";
import {
  badge,
  badges,
  errors,
  type Message,
  node,
  start,
  stop,
  taken,
  untaken,
} from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>";

/** A service that does this to every get, the first time; later ones stay open. */
const firstGet =
  (answer: string): Script =>
  ({ call, index }, response) => {
    if (call !== "get") return;
    if (index === 0) response.end(answer);
  };

const itemLine = (portalid: string, payload: string, at: number): string =>
  `${JSON.stringify({ items: [{ portalid, payload, servertimestamp: at }] })}\n`;

const cookieHeader = ({ headers }: RawRequest): string => headers.cookie ?? "";

describe("A17: a hostile service", () => {
  afterEach(stop);

  it("that redirects gets no node to follow: red, said once, and nobody else is contacted", async () => {
    let contacted = 0;
    const elsewhere = createServer((_request, response) => {
      contacted += 1;
      response.end('{"servertimestamp":1700000000000}');
    });
    await new Promise<void>((resolve) => void elsewhere.listen(0, "127.0.0.1", resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1`;
    await using raw = await rawService(({ call }, response) => {
      if (call !== "login") response.writeHead(307, { location }).end();
    });
    const flow = [
      tab,
      config(`${raw.origin}/v1`),
      out({ portal: "hall" }),
      input("i1", "hall"),
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    const [reported] = (await taken("caught", 1)) as Caught[];
    node("o1").receive({ payload: "x" });
    const [failed] = (await taken("caught", 1)) as Caught[];
    for (const caught of [reported, failed]) assert.equal(caught?.error.code, "XRTC_ENDPOINT");
    await badge("i1", { fill: "red", shape: "dot" });
    assert.deepEqual([contacted, untaken("caught"), untaken("k1")], [0, 0, 0]);
    await new Promise((resolve) => void elsewhere.close(resolve));
  });

  it("that drops a bomb of cookies on every answer is sent back a bounded number of bytes", async () => {
    await using raw = await rawService(({ index }, response) => {
      const bomb = Array.from({ length: 60 }, (_, at) => `c${index}x${at}=${"x".repeat(150)}`);
      response.setHeader("set-cookie", bomb);
    });
    const flow = [tab, config(`${raw.origin}/v1`), out({ portal: "hall" }), ...complete("o1")];
    await start(flow, credentials);
    for (let at = 0; at < 30; at += 1) {
      node("o1").receive({ payload: String(at) });
      await taken("completed", 1);
    }
    const longest = Math.max(...raw.requests.map((request) => cookieHeader(request).length));
    assert.ok(longest > 0 && longest < 8_192, `${longest} characters`);
  });

  it("that sends items of foreign portals and forbidden members gets none of them into a flow", async () => {
    const lines = [
      itemLine("attic", "foreign", 1),
      itemLine("__proto__", "foreign", 2),
      itemLine("constructor", "foreign", 3),
      '{"__proto__":{"polluted":true},"items":[{"__proto__":{"polluted":true},"portalid":"hall","payload":"{\\"__proto__\\":{\\"polluted\\":true},\\"ok\\":1}","servertimestamp":4,"topic":"stolen","req":{}}]}\n',
    ];
    await using raw = await rawService(firstGet(lines.join("")));
    const reader = input("i1", "hall", { start: "all" });
    await start([tab, config(`${raw.origin}/v1`), reader, sink("k1")], credentials);
    const [message] = await taken("k1", 1);
    const { _msgid: _id, latency: _latency, ...own } = message ?? {};
    const payload = { ok: 1 };
    assert.deepEqual(own, { topic: "hall", portalid: "hall", payload, servertimestamp: 4 });
    assert.equal(untaken("k1"), 0);
    assert.equal("polluted" in {}, false);
    await stop();
  });

  it("that answers a get with items of foreign portals has them left out", async () => {
    const lines = ["attic", "hall", "__proto__"].map((portal) => itemLine(portal, "x", 1));
    await using raw = await rawService(({ call }, response) => {
      if (call === "get") response.end(lines.join(""));
    });
    const flow = [tab, config(`${raw.origin}/v1`), get("g1"), sink("k1"), ...complete("g1")];
    await start(flow, credentials);
    node("g1").receive({ portals: ["hall"] });
    await taken("completed", 1);
    const client = raw.client();
    const items = [];
    for await (const item of client.getItems({ portals: ["hall"] })) items.push(item);
    const portals = [
      ...(await taken("k1", untaken("k1"))).map(({ portalid }) => portalid),
      ...items.map(({ portalId }) => portalId),
    ];
    assert.deepEqual(portals, ["hall", "hall"]);
  });

  it("that never ends its answer to a get is cut, and the message is told", async () => {
    const line = itemLine("hall", "x".repeat(1_000_000), 1);
    await using raw = await rawService(({ call }, response) => {
      if (call !== "get") return;
      const goOn = (): void => {
        while (!response.destroyed && response.write(line));
      };
      response.on("drain", goOn);
      goOn();
    });
    const flow = [tab, config(`${raw.origin}/v1`), get("g1"), sink("k1"), ...catchAll];
    await start(flow, credentials);
    node("g1").receive({ portals: ["hall"] });
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_RESPONSE_INVALID");
    assert.equal(untaken("k1"), 0);
  });

  it("that puts a script into a payload has sent data: it arrives as it is, and no error quotes it", async () => {
    const lines = [itemLine("hall", SCRIPT, 1), itemLine("hall", '"after"', 2)];
    await using raw = await rawService(firstGet(lines.join("")));
    const flow = [
      tab,
      config(`${raw.origin}/v1`),
      input("i1", "hall", { start: "all", output: "string" }),
      input("i2", "hall", { start: "all", output: "json" }),
      sink("k1"),
      sink("k2"),
      ...catchAll,
    ];
    await start(flow, credentials);
    const [first] = await taken("k1", 2);
    assert.equal(first?.["payload"], SCRIPT);
    assert.equal((await taken("k2", 1))[0]?.["payload"], "after");
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.ok(!caught?.error.message.includes("script"));
    await stop();
  });

  it("that words a refusal at length, with control characters, has it cut and cleaned in badge and error", async () => {
    const errormessage = `${SCRIPT}\u0007\u001B[31m\r\n${"long ".repeat(2_000)}`;
    const error = { errorgroup: 4, errorcode: 35, errormessage };
    await using raw = await rawService((_request, response) => {
      response.writeHead(400).end(JSON.stringify({ error }));
    });
    const flow = [tab, config(`${raw.origin}/v1`), out({ portal: "hall" }), ...catchAll];
    await start(flow, credentials);
    node("o1").receive({ payload: "x" });
    await taken("caught", 1);
    await badge("o1", { fill: "red", shape: "dot" });
    const texts = [
      ...badges("o1").map(({ text = "" }) => ({ text, max: 60 })),
      ...errors("o1").map((each) => ({ text: (each as Error).message, max: 600 })),
    ];
    for (const { text, max } of texts) {
      assert.ok(text.length <= max, `${text.length} characters`);
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      assert.doesNotMatch(text, /[\u0000-\u001F\u007F]/);
    }
  });

  it("that answers with a byte a second is given up at the deadline of each call", async () => {
    const clock = scaledClock(100);
    const drips = new Set<NodeJS.Timeout>();
    await using raw = await rawService(({ call }, response) => {
      if (call === "login") return;
      response.writeHead(200).flushHeaders();
      const drip = setInterval(() => response.write(" "), 10);
      drips.add(drip);
      response.on("close", () => clearInterval(drip));
    });
    await using client = raw.client({ ports: { clock }, attemptsMax: 1 });
    await assert.rejects(client.setItems([{ portalId: "hall", payload: "x" }]), (thrown) => {
      assert.equal((thrown as { outcome?: string }).outcome, "unknown");
      return true;
    });
    const items = client.getItems({ portals: ["hall"], mode: "stream" });
    await assert.rejects(items.next(), { code: "XRTC_TIMEOUT" });
    for (const drip of drips) clearInterval(drip);
  });
});
