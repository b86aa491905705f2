import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawRequest, rawService } from "../support/raw-service.js";
import { ACCOUNT_ID, API_KEY, type Service, startService, take } from "../support/service.js";
import { catchAll, complete, config, credentials, input, out, sink, tab } from "./flows.js";
import {
  badge,
  errors,
  type FlowCredentials,
  type Message,
  node,
  Settlements,
  start,
  stop,
  taken,
  untaken,
} from "./runtime.js";

interface Caught extends Message {
  readonly error: { readonly message: string; readonly code?: string };
}

const connected = { fill: "green", shape: "dot" } as const;
const refused = { fill: "red", shape: "dot" } as const;

/** The nodes and the test itself log in with one key. */
const oftenLogins = { limits: { loginIntervalMsMin: 0 } };

const payloadsOf = (messages: readonly Message[]): unknown[] =>
  messages.map(({ payload }) => payload);

const set = (service: Service, ...payloads: string[]) =>
  service.client().setItems(payloads.map((payload) => ({ portalId: "hall", payload })));

describe("R7: a node behind an xrtc-in that throws", () => {
  afterEach(stop);

  it("harms neither the reader nor the nodes beside it", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "hall", { wires: [["t1", "k1"]] }),
      { id: "t1", type: "thrower", z: "f1", x: 100, y: 100, wires: [] },
      sink("k1"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await badge("i1", connected);
    await set(service, "1", "2", "3");
    assert.deepEqual(payloadsOf(await taken("k1", 3)), [1, 2, 3]);
    const caught = (await taken("caught", 3)) as Caught[];
    for (const { error } of caught) assert.equal(error.message, "Error: thrown by the next node");
    await set(service, "4");
    assert.equal((await taken("k1", 1))[0]?.["payload"], 4);
    assert.deepEqual([errors("i1").length, service.server.stats.waitingGets], [0, 1]);
  });
});

/** Credentials that cannot be used, and the words that the error has to have. */
const UNUSABLE: readonly (readonly [string, FlowCredentials, RegExp])[] = [
  ["that are missing", {}, /account id: none is given/],
  ["without a key", { c1: { accountId: ACCOUNT_ID } }, /API key: none is given/],
  [
    "that name a variable which is not set",
    { c1: { accountId: ACCOUNT_ID, apiKey: "${XRTC_TEST_UNSET}" } },
    /XRTC_TEST_UNSET is not set/,
  ],
  [
    "that cannot be decrypted",
    { $: "0123456789abcdef0123456789abcdefbm90IGVuY3J5cHRlZCBieSBhbnlib2R5" as never },
    /account id: none is given/,
  ],
];

describe("R10: credentials", () => {
  afterEach(stop);

  for (const [what, saved, words] of UNUSABLE) {
    it(`${what} turn each node red, with no request and nothing literal sent`, async () => {
      await using raw = await rawService(() => undefined);
      const flow = [
        tab,
        config(`${raw.origin}/v1`),
        out({ portal: "hall" }),
        input("i1", "hall"),
        sink("k1"),
        ...catchAll,
      ];
      await start(flow, saved);
      const [reported] = (await taken("caught", 1)) as Caught[];
      node("o1").receive({ payload: "x" });
      const [failed] = (await taken("caught", 1)) as Caught[];
      for (const caught of [reported, failed]) {
        assert.equal(caught?.error.code, "XRTC_CREDENTIALS_MISSING");
        assert.match(caught?.error.message ?? "", words);
      }
      await Promise.all([badge("o1", refused), badge("i1", refused)]);
      assert.equal(untaken("caught"), 0);
      assert.deepEqual(raw.requests, []);
    });
  }
});

const circular: Record<string, unknown> = { name: "loop" };
circular["self"] = circular;

describe("R12: a payload", () => {
  afterEach(stop);

  it("that is no text has one defined form, or one clear error, and its neighbours go through", async () => {
    await using service = await startService(oftenLogins);
    const flow = [tab, config(service.baseUrl), out({ portal: "hall" }), ...catchAll];
    await start(flow, credentials);
    using settlements = new Settlements();
    const date = new Date(1_700_000_000_000);
    const good: readonly (readonly [unknown, string])[] = [
      [null, "null"],
      [date, JSON.stringify(date)],
      [Buffer.from([0, 255]), "AP8="],
      [new Uint16Array([1]), "AQA="],
      [0, "0"],
      [false, "false"],
      ["", ""],
      [{ nested: [{ deep: true }] }, '{"nested":[{"deep":true}]}'],
    ];
    const bad: readonly (readonly [unknown, string, RegExp])[] = [
      [circular, "XRTC_PAYLOAD_INVALID", /circular/i],
      [10n, "XRTC_PAYLOAD_INVALID", /BigInt/],
      [undefined, "XRTC_PAYLOAD_INVALID", /undefined/],
      [() => undefined, "XRTC_PAYLOAD_INVALID", /function/],
      [Symbol("s"), "XRTC_PAYLOAD_INVALID", /symbol/],
      [NaN, "XRTC_PAYLOAD_INVALID", /NaN/],
      ["x".repeat(2_000_000), "XRTC_PAYLOAD_TOO_LARGE", /bytes/],
      [Buffer.alloc(2_000_000), "XRTC_PAYLOAD_TOO_LARGE", /bytes/],
      [
        {
          get payload() {
            throw new Error("a getter that throws");
          },
        },
        "XRTC_PAYLOAD_INVALID",
        /a getter that throws/,
      ],
    ];
    for (const [at, [payload]] of good.entries()) {
      node("o1").receive({ payload });
      // Each good one has bad ones around it.
      if (at < bad.length) node("o1").receive({ payload: bad[at]?.[0] });
    }
    for (const [payload] of bad.slice(good.length)) node("o1").receive({ payload });
    const settled = await settlements.reached(good.length + bad.length);
    for (const [payload, code, words] of bad) {
      const { error } = settled.find((each) => Object.is(each.payload, payload)) ?? {};
      assert.equal((error as { code?: string }).code, code);
      assert.match((error as Error).message, words);
    }
    assert.equal(settled.filter(({ error }) => error === undefined).length, good.length);
    const items = service.client().getItems({ portals: ["hall"], schedule: "FIFO" });
    assert.deepEqual(
      (await take(items, good.length)).map(({ payload }) => payload),
      good.map(([, text]) => text),
    );
  });

  it("that comes as JSON 5,000 deep stays text with output auto, is an error with output json, and blocks nobody", async () => {
    await using service = await startService(oftenLogins);
    const flow = [
      tab,
      config(service.baseUrl),
      input("i1", "hall"),
      input("i2", "hall", { output: "json" }),
      sink("k1"),
      sink("k2"),
      ...catchAll,
    ];
    await start(flow, credentials);
    await Promise.all([badge("i1", connected), badge("i2", connected)]);
    const deep = "[".repeat(5_000) + "]".repeat(5_000);
    await set(service, "1", deep, "2");
    assert.deepEqual(payloadsOf(await taken("k1", 3)), [1, deep, 2]);
    assert.deepEqual(payloadsOf(await taken("k2", 2)), [1, 2]);
    const [caught] = (await taken("caught", 1)) as Caught[];
    assert.equal(caught?.error.code, "XRTC_ITEM_MALFORMED");
    assert.ok((caught?.error.message ?? "").length < 200, "the payload is not quoted");
  });
});

/** What a message must have no say in. */
const meddling = (elsewhere: string): object => ({
  url: elsewhere,
  baseUrl: elsewhere,
  loginUrl: elsewhere,
  setUrl: elsewhere,
  host: elsewhere,
  hostname: "elsewhere.example",
  path: "/elsewhere",
  method: "DELETE",
  proxy: elsewhere,
  headers: { authorization: "Bearer stolen", cookie: "JSESSIONID=stolen", "x-own": "1" },
  cookies: { JSESSIONID: "stolen" },
  apikey: "stolen",
  apiKey: "stolen",
  accountid: "AC9999999999999999",
  accountId: "AC9999999999999999",
  credentials: { apiKey: "stolen" },
  config: "c2",
  rejectUnauthorized: false,
  ...(JSON.parse(`{"__proto__":{"url":"${elsewhere}","polluted":true}}`) as object),
  constructor: { prototype: { polluted: true } },
});

describe("A16: a message with url, headers, apikey or __proto__", () => {
  afterEach(stop);

  it("changes neither where its item goes, nor with which key and headers, nor any prototype", async () => {
    let contacted = 0;
    const elsewhere = createServer((_request, response) => {
      contacted += 1;
      response.end();
    });
    await new Promise<void>((resolve) => void elsewhere.listen(0, "127.0.0.1", resolve));
    await using raw = await rawService(() => undefined);
    const more = meddling(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1`);
    await start(
      [tab, config(`${raw.origin}/v1`), out({ portal: "hall" }), ...complete("o1")],
      credentials,
    );
    const items = [{ portalid: "hall", payload: "in a list", ...more }];
    for (const message of [{ payload: "plain" }, { payload: "x", ...more }, { ...more, items }]) {
      node("o1").receive(message);
      await taken("completed", 1);
    }
    const [login, plain, ...meddled] = raw.requests;
    assert.deepEqual(JSON.parse(login?.body ?? ""), { accountid: ACCOUNT_ID, apikey: API_KEY });
    assert.deepEqual(
      meddled.map(({ call, body }) => [call, JSON.parse(body) as unknown]),
      ["x", "in a list"].map((payload) => ["set", { items: [{ portalid: "hall", payload }] }]),
    );
    for (const request of meddled) assert.deepEqual(headersOf(request), headersOf(plain));
    assert.equal(contacted, 0);
    assert.equal("polluted" in {}, false);
    await new Promise((resolve) => void elsewhere.close(resolve));
  });
});

/** All headers but those that differ between any two sets. */
const headersOf = (request: RawRequest | undefined): object => {
  const { "content-length": _length, "idempotency-key": _key, ...rest } = request?.headers ?? {};
  return rest;
};
