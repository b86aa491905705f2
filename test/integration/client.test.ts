import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isXrtcError, XrtcClient, type Item } from "../../src/index.js";
import {
  ACCOUNT_ID,
  API_KEY,
  credentials,
  reached,
  startService,
  take,
} from "../support/service.js";

const rejected = (code: string) => (error: unknown) => isXrtcError(error) && error.code === code;

describe("The client against the local server", () => {
  it("sets and gets an item", async () => {
    await using service = await startService();
    const client = service.client();
    const result = await client.setItems([{ portalId: "one", payload: "grüße 🌍" }]);
    assert.equal(result.attempts, 1);
    assert.equal(result.duplicatePossible, false);
    const items = await take(client.getItems({ portals: ["one"] }), 1);
    assert.deepEqual(
      items.map(({ portalId, payload, serverTimestamp }) => [portalId, payload, serverTimestamp]),
      [["one", "grüße 🌍", result.serverTimestamp]],
    );
  });

  it("gets what is new since its last get, in either schedule", async () => {
    await using service = await startService();
    const client = service.client();
    const payloads = async (schedule: "LIFO" | "FIFO"): Promise<string[]> => {
      const got: string[] = [];
      for await (const item of client.getItems({ portals: ["p"], schedule }))
        got.push(item.payload);
      return got;
    };
    await client.setItems(["1", "2", "3"].map((payload) => ({ portalId: "p", payload })));
    assert.deepEqual(await payloads("FIFO"), ["1", "2", "3"]);
    assert.deepEqual(await payloads("FIFO"), []);
    await client.setItems(["4", "5"].map((payload) => ({ portalId: "p", payload })));
    assert.deepEqual(await payloads("LIFO"), ["5", "4"]);
  });

  it("lists the portals of the account with their latest items", async () => {
    await using service = await startService();
    const client = service.client();
    await client.setItems([
      { portalId: "a", payload: "1" },
      { portalId: "b", payload: "2" },
      { portalId: "a", payload: "3" },
    ]);
    const latest: Item[] = [];
    for await (const item of client.getItems({ portals: [] })) latest.push(item);
    assert.deepEqual(latest.map(({ portalId, payload }) => `${portalId}${payload}`).toSorted(), [
      "a3",
      "b2",
    ]);
  });

  it("wakes a watch with the item that it waited for", async () => {
    await using service = await startService();
    const client = service.client();
    const watching = take(client.getItems({ portals: ["w"], mode: "watch" }), 1);
    await client.setItems([{ portalId: "w", payload: "now" }]);
    assert.equal((await watching)[0]?.payload, "now");
  });

  it("delivers a stream's item while the response is open", async () => {
    await using service = await startService();
    const client = service.client();
    const iterator = client.getItems({ portals: ["s"], mode: "stream" })[Symbol.asyncIterator]();
    const first = iterator.next();
    await client.setItems([{ portalId: "s", payload: "1" }]);
    assert.equal((await first).value?.payload, "1");
    assert.equal(service.server.stats.waitingGets, 1);
    await iterator.return?.(undefined);
  });

  it("fails a call with a bad portal id, a payload that is no text or one that is too large, without a request", async () => {
    await using service = await startService({ preset: "hosted" });
    const client = service.client({ limits: "hosted" });
    const set = (portalId: string, payload: unknown) =>
      client.setItems([{ portalId, payload: payload as string }]);
    await assert.rejects(set("a b", "x"), rejected("XRTC_PORTAL_INVALID"));
    await assert.rejects(set("x".repeat(33), "x"), rejected("XRTC_PORTAL_INVALID"));
    await assert.rejects(set("", "x"), rejected("XRTC_PORTAL_INVALID"));
    await assert.rejects(set("a", 5), rejected("XRTC_PAYLOAD_INVALID"));
    await assert.rejects(set("a", "x".repeat(1_024)), rejected("XRTC_PAYLOAD_TOO_LARGE"));
    await assert.rejects(
      take(client.getItems({ portals: ["a-b"] }), 1),
      rejected("XRTC_PORTAL_INVALID"),
    );
    assert.throws(() => client.subscribe({ portals: [] }), rejected("XRTC_PORTAL_MISSING"));
    assert.equal(service.server.stats.requests, 0);
  });

  it("counts the size limit in serialised bytes", async () => {
    await using service = await startService({ preset: "hosted" });
    const client = service.client({ limits: "hosted" });
    // What counts is its size when it is got, which is more than when it is set.
    const alone = '{"items":[{"portalid":"p","payload":"","servertimestamp":1700000000000}]}\n';
    const room = 1_024 - alone.length;
    const texts = [
      "x".repeat(room - 1),
      "x".repeat(room),
      "😀".repeat(Math.floor(room / 4)),
      '"'.repeat(Math.floor(room / 2)),
    ];
    for (const fits of texts) {
      await client.setItems([{ portalId: "p", payload: fits }]);
      await assert.rejects(
        client.setItems([{ portalId: "p", payload: `${fits}xxxx` }]),
        rejected("XRTC_PAYLOAD_TOO_LARGE"),
      );
    }
    assert.equal(service.server.stats.itemsSet, 4);
    assert.equal(service.server.stats.requests, 5);
  });

  it("fails with the service's words when the credentials are refused", async () => {
    await using service = await startService();
    const client = service.client({ apiKey: "z".repeat(32) });
    await assert.rejects(client.setItems([{ portalId: "a", payload: "x" }]), (error: unknown) => {
      assert(isXrtcError(error, "XRTC_CREDENTIALS_REFUSED"));
      assert.equal(error.serviceCode, 35);
      return true;
    });
    assert.equal(client.status.value.kind, "refused");
  });

  it("says that a service cannot be reached, and finds it when it is back", async () => {
    const first = await startService();
    const { port } = new URL(first.baseUrl);
    const { baseUrl } = first;
    await first[Symbol.asyncDispose]();
    const client = new XrtcClient({ ...credentials, baseUrl });
    try {
      await assert.rejects(client.open(), rejected("XRTC_UNREACHABLE"));
      assert.equal(client.status.value.kind, "waiting");
      const set = client.setItems([{ portalId: "a", payload: "x" }]);
      await using back = await startService({ port: Number(port) });
      const { attempts } = await set;
      assert.equal(attempts, 1);
      assert.equal(back.server.stats.itemsSet, 1);
      assert.equal(client.status.value.kind, "connected");
    } finally {
      await client.close();
    }
  });

  it("closes twice as once, and takes nothing after that", async () => {
    await using service = await startService();
    const client = service.client();
    await client.open();
    await Promise.all([client.close(), client.close()]);
    await assert.rejects(
      client.setItems([{ portalId: "a", payload: "x" }]),
      rejected("XRTC_CLOSED"),
    );
    assert.throws(() => client.subscribe({ portals: ["a"] }), rejected("XRTC_CLOSED"));
    assert.equal(client.status.value.kind, "closed");
  });

  it("settles what waits when it is disposed of", async () => {
    await using service = await startService();
    let set: Promise<unknown>;
    {
      await using client = service.client();
      set = client.setItems([{ portalId: "a", payload: "x" }]);
    }
    await set;
    assert.equal(service.server.stats.itemsSet, 1);
  });
});

describe("A subscription", () => {
  it("misses nothing that is set once it is ready", async () => {
    await using service = await startService();
    const client = service.client();
    await client.setItems([{ portalId: "p", payload: "old" }]);
    const subscription = client.subscribe({ portals: ["p"] });
    await subscription.ready();
    await client.setItems([{ portalId: "p", payload: "new" }]);
    assert.equal((await take(subscription, 1))[0]?.payload, "new");
  });

  it("is never ready with credentials that are refused, and says why", async () => {
    await using service = await startService();
    const client = service.client({ apiKey: "z".repeat(32) });
    const subscription = client.subscribe({ portals: ["p"] });
    await assert.rejects(subscription.ready(), rejected("XRTC_CREDENTIALS_REFUSED"));
  });

  it("brings only what is new, in order, and again only what comes after", async () => {
    await using service = await startService();
    const client = service.client();
    await client.setItems([{ portalId: "p", payload: "old" }]);
    const subscription = client.subscribe({ portals: ["p"] });
    await reached(subscription.status, "connected");
    const taken = take(subscription, 3);
    for (const payload of ["1", "2", "3"]) await client.setItems([{ portalId: "p", payload }]);
    assert.deepEqual(
      (await taken).map(({ payload }) => payload),
      ["1", "2", "3"],
    );
  });

  it("brings everything that is there, if asked to, to one who comes later, too", async () => {
    await using service = await startService();
    const client = service.client();
    const set = (payload: string) => client.setItems([{ portalId: "p", payload }]);
    await set("1");
    await set("2");
    const early = client.subscribe({ portals: ["p"], start: "all" });
    const first = await take(early, 2);
    const staying = client.subscribe({ portals: ["p"], start: "all" });
    const takenByStaying: string[] = [];
    const reading = (async () => {
      for await (const { payload } of staying) {
        takenByStaying.push(payload);
        if (payload === "end") return;
      }
    })();
    const late = take(client.subscribe({ portals: ["p"], start: "all" }), 2);
    assert.deepEqual(
      first.map(({ payload }) => payload),
      ["1", "2"],
    );
    assert.deepEqual(
      (await late).map(({ payload }) => payload),
      ["1", "2"],
    );
    await set("end");
    await reading;
    assert.deepEqual(takenByStaying, ["1", "2", "end"]);
  });

  it("brings only what is new of any of very many full portals", async () => {
    await using service = await startService();
    const client = service.client();
    const portals = Array.from({ length: 40 }, (_, index) => `p${index}`);
    const payload = "x".repeat(10_000);
    await client.setItems(portals.map((portalId) => ({ portalId, payload })));
    const subscription = client.subscribe({ portals });
    await subscription.ready();
    await client.setItems(portals.map((portalId) => ({ portalId, payload: "new" })));
    const items = await take(subscription, portals.length);
    assert.deepEqual(
      items.map(({ payload: text }) => text),
      portals.map(() => "new"),
    );
  });

  for (const order of [
    ["all", "new"],
    ["new", "all"],
  ] as const) {
    it(`starts each where it asked to, ${order.join(" before ")}`, async () => {
      await using service = await startService();
      const client = service.client();
      await client.setItems([{ portalId: "p", payload: "old" }]);
      const readings = order.map(async (start) => {
        const subscription = client.subscribe({ portals: ["p"], start });
        const got: string[] = [];
        const ready = subscription.ready();
        const done = (async () => {
          for await (const { payload } of subscription) {
            got.push(payload);
            if (payload === "end") break;
          }
          return { start, got };
        })();
        await ready;
        return { done };
      });
      const begun = await Promise.all(readings);
      await client.setItems([{ portalId: "p", payload: "end" }]);
      for (const { start, got } of await Promise.all(begun.map(({ done }) => done))) {
        assert.deepEqual(got, start === "all" ? ["old", "end"] : ["end"], start);
      }
    });
  }

  it("shares one upstream among its portal's subscribers, and each gets every item", async () => {
    await using service = await startService();
    const client = service.client();
    const subscriptions = [1, 2, 3].map(() => client.subscribe({ portals: ["p"] }));
    await Promise.all(subscriptions.map(({ status }) => reached(status, "connected")));
    const taking = subscriptions.map((subscription) => take(subscription, 200));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        client.setItems([{ portalId: "p", payload: `${index}` }]),
      ),
    );
    const expected = Array.from({ length: 200 }, (_, index) => `${index}`);
    for (const taken of await Promise.all(taking)) {
      assert.deepEqual(
        taken.map(({ payload }) => payload),
        expected,
      );
    }
    assert.equal(service.server.stats.logins, 1);
  });

  it("lets a portal join without losing the others' items", async () => {
    await using service = await startService();
    const client = service.client();
    const first = client.subscribe({ portals: ["a"] });
    await reached(first.status, "connected");
    const taking = take(first, 300);
    const sets: Promise<unknown>[] = [];
    for (let index = 0; index < 300; index += 1) {
      sets.push(client.setItems([{ portalId: "a", payload: `${index}` }]));
      if (index === 100) {
        const second = client.subscribe({ portals: ["b"] });
        await reached(second.status, "connected");
      }
      if (index % 10 === 0) await Promise.all(sets);
    }
    assert.deepEqual(
      (await taking).map(({ payload }) => payload),
      Array.from({ length: 300 }, (_, index) => `${index}`),
    );
  });

  it("keeps a named place while its subscriber is away for a moment", async () => {
    await using service = await startService();
    const client = service.client();
    const options = { portals: ["p"], name: "node" };
    const before = client.subscribe(options);
    await reached(before.status, "connected");
    await before.close();
    await client.setItems([{ portalId: "p", payload: "meanwhile" }]);
    const after = client.subscribe(options);
    assert.equal((await take(after, 1))[0]?.payload, "meanwhile");
  });

  it("does not keep a place that is given up", async () => {
    await using service = await startService();
    const client = service.client();
    const options = { portals: ["p"], name: "node" };
    const before = client.subscribe(options);
    await reached(before.status, "connected");
    await before.close({ forget: true });
    await client.setItems([{ portalId: "p", payload: "meanwhile" }]);
    const after = client.subscribe(options);
    await reached(after.status, "connected");
    await client.setItems([{ portalId: "p", payload: "later" }]);
    assert.equal((await take(after, 1))[0]?.payload, "later");
  });

  it("keeps a get from taking the items of a portal that is read already", async () => {
    await using service = await startService();
    const client = service.client();
    const subscription = client.subscribe({ portals: ["p"] });
    await reached(subscription.status, "connected");
    await assert.rejects(
      take(client.getItems({ portals: ["p"] }), 1),
      rejected("XRTC_PORTAL_BUSY"),
    );
  });

  it("gets what there is as soon as a subscription to it is closed", async () => {
    await using service = await startService();
    const client = service.client();
    await client.setItems([{ portalId: "p", payload: "here" }]);
    const subscription = client.subscribe({ portals: ["p"] });
    await subscription.ready();
    await subscription.close();
    await take(client.getItems({ portals: ["p"] }), 1);
    assert.equal((await take(client.getItems({ portals: [] }), 1))[0]?.payload, "here");
  });

  it("goes on when the server was restarted, and announces the gap", async () => {
    const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY] }];
    const first = await startService({ accounts });
    const port = Number(new URL(first.baseUrl).port);
    const client = new XrtcClient({
      ...credentials,
      baseUrl: first.baseUrl,
      // The pause between logins belongs to the hosted service's rules; here it would only make the test long.
      limits: { loginIntervalMsMin: 0 },
    });
    try {
      const gaps: string[] = [];
      const subscription = client.subscribe({
        portals: ["p"],
        onGap: ({ reason }) => gaps.push(reason),
      });
      await reached(subscription.status, "connected");
      const items = subscription[Symbol.asyncIterator]();
      await client.setItems([{ portalId: "p", payload: "before" }]);
      assert.equal((await items.next()).value?.payload, "before");
      const down = reached(subscription.status, "waiting");
      await first.server.close();
      await down;
      await using second = await startService({ port, limits: { loginIntervalMsMin: 0 } });
      await reached(subscription.status, "connected");
      assert.equal(second.server.stats.logins, 1);
      await client.setItems([{ portalId: "p", payload: "after" }]);
      assert.equal((await items.next()).value?.payload, "after");
      assert.deepEqual(gaps, ["epoch"]);
    } finally {
      await client.close();
    }
  });
});

/** A service that answers a login, and a get with these pieces of a body, each when it is asked to. */
async function rawService(): Promise<
  AsyncDisposable & {
    readonly baseUrl: string;
    write(piece: Uint8Array | string): void;
    end(): void;
    asked: Promise<void>;
  }
> {
  let tellAsked: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => (tellAsked = resolve));
  let answer: ServerResponse | undefined;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.endsWith("/auth/login")) response.end('{"servertimestamp":1}');
    else {
      answer = response;
      response.flushHeaders();
      tellAsked?.();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    asked,
    write: (piece) => void answer?.write(piece),
    end: () => void answer?.end(),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const line = (payload: string): string =>
  `${JSON.stringify({ items: [{ portalid: "p", payload, servertimestamp: 5 }] })}\n`;

describe("An answer in pieces", () => {
  it("keeps a character whole whose bytes came in two of them", async () => {
    await using service = await rawService();
    const client = new XrtcClient({ ...credentials, baseUrl: service.baseUrl });
    const taking = take(client.getItems({ portals: ["p"], mode: "stream" }), 1);
    await service.asked;
    const bytes = Buffer.from(line("ä"));
    const middle = bytes.indexOf(0xc3) + 1;
    service.write(bytes.subarray(0, middle));
    service.write(bytes.subarray(middle));
    assert.equal((await taking)[0]?.payload, "ä");
    await client.close();
  });

  it("reports what cannot be read and delivers its neighbours", async () => {
    await using service = await rawService();
    const client = new XrtcClient({ ...credentials, baseUrl: service.baseUrl });
    const errors: string[] = [];
    const taking = take(
      client.getItems({
        portals: ["p"],
        mode: "stream",
        onMalformed: (error) => errors.push(error.message),
      }),
      2,
    );
    await service.asked;
    const good = { portalid: "p", payload: "good", servertimestamp: 1, extra: { a: 1 } };
    const bad = [
      { payload: "x", servertimestamp: 1 },
      { ...good, servertimestamp: "1" },
      { ...good, payload: {} },
    ];
    service.write(`${JSON.stringify({ items: [good, ...bad, good], more: true })}\n`);
    assert.deepEqual(
      (await taking).map(({ payload }) => payload),
      ["good", "good"],
    );
    assert.equal(errors.length, 3);
    assert.match(errors[0] ?? "", /portalid/);
    await client.close();
  });

  it("that ends in the middle of a line is an error, after what came before", async () => {
    await using service = await rawService();
    const client = new XrtcClient({ ...credentials, baseUrl: service.baseUrl });
    const got: string[] = [];
    const reading = (async () => {
      for await (const { payload } of client.getItems({ portals: ["p"], mode: "stream" }))
        got.push(payload);
    })();
    await service.asked;
    service.write(line("whole") + line("cut").slice(0, 20));
    service.end();
    await assert.rejects(reading, rejected("XRTC_RESPONSE_INVALID"));
    assert.deepEqual(got, ["whole"]);
    await client.close();
  });

  it("may end without a newline, with CRLF and with empty lines", async () => {
    await using service = await rawService();
    const client = new XrtcClient({ ...credentials, baseUrl: service.baseUrl });
    const taking = (async () => {
      const got: string[] = [];
      for await (const { payload } of client.getItems({ portals: ["p"], mode: "stream" }))
        got.push(payload);
      return got;
    })();
    await service.asked;
    service.write(
      `\n\r\n${line("1").trimEnd()}\r\n\n${line("2")}{}\n{"items":null}\n${line("3").trimEnd()}`,
    );
    service.end();
    assert.deepEqual(await taking, ["1", "2", "3"]);
    await client.close();
  });
});
