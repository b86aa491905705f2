import { strict as assert } from "node:assert";
import { LIMITS } from "../../../src/protocol/limits.js";
import { CoreHarness, FIFO, numbered, STREAM } from "./core-harness.js";

const REFUSED = [400, 6, 30];
const UNREADABLE = [400, 6, 20];
/** A relaxed set of a certain length. */
const relaxedSet = (length: number): string => {
  const [before, after] = ['{items:[{"portalid":"P","payload":"', '"}]}'];
  return before + "x".repeat(length - before.length - after.length) + after;
};

const item = (payload = "x", portalid = "P"): object => ({ portalid, payload });

describe("a set at the local server", () => {
  it("answers with the time that its items share", () => {
    const server = new CoreHarness();
    const session = server.login();
    const time = session.set("P", "a", "b");
    assert.equal(time, server.clock.wallNow());
    const items = session.get(["P"], FIFO).document.items ?? [];
    assert.deepEqual(
      items.map(({ servertimestamp }) => servertimestamp),
      [time, time],
    );
  });

  it("takes extra members, a timestamp inside an item, and relaxed JSON with any content type", () => {
    const session = new CoreHarness().login();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const bodies = [
      '{items:[{"portalid":"P","payload":"1"}]}',
      "{items: [{portalid: 'P', payload: '2',}], /* by hand */}",
      '{"items":[{"portalid":"P","payload":"3","servertimestamp":5,"more":{}}],"x":[]}',
      '{ "items" : [ { "portalid" : "P" , "payload" : "4" } ] }',
      '\ufeff{"items":[{"portalid":"P","payload":"5"}]}',
    ];
    for (const body of bodies)
      assert.equal(session.send("/v1/item/set", body, headers).status, 200);
    assert.deepEqual(session.get(["P"], FIFO).payloads, ["1", "2", "3", "4", "5"]);
  });

  it("carries every text unharmed", () => {
    const session = new CoreHarness().login();
    const texts = [
      "",
      "grüße 😀",
      '\u0000\n\r\t"\\/',
      "\ud800",
      "\u2028",
      "a\u003d\u003d",
      "{}\n{}",
    ];
    session.set("P", ...texts);
    assert.deepEqual(session.get(["P"], FIFO).payloads, texts);
    assert.equal(session.get(["P"], FIFO).text, "{}\n");
  });

  it("is refused as a whole when one of its items is bad (A11)", () => {
    const session = new CoreHarness().login();
    for (const portalid of ["__proto__", "a:b", "../x", "P".repeat(33), "", "ä", "a b", "P\n"]) {
      assert.deepEqual(session.trySet([item(), item("x", portalid)]).refusal, REFUSED, portalid);
    }
    for (const bad of [
      { portalid: "P" },
      { payload: "x" },
      { portalid: 1, payload: "x" },
      null,
      7,
      [],
    ]) {
      assert.deepEqual(session.trySet([item(), bad]).refusal, REFUSED, JSON.stringify(bad));
    }
    for (const payload of [1, null, {}, ["x"]]) {
      assert.deepEqual(session.trySet([{ portalid: "P", payload }]).refusal, REFUSED);
    }
    assert.equal(session.get([]).text, "{}\n");
  });

  it("says what is wrong, and quotes nothing of it", () => {
    const session = new CoreHarness().login();
    const { error } = session.trySet([item(), { portalid: "no!", payload: "SECRET" }]).document;
    assert.match(error?.errormessage ?? "", /^items\.1\.portalid: /);
    assert.equal(error?.errormessage.includes("SECRET"), false);
    const broken = session.send("/v1/item/set", '{"items": SECRET').document.error;
    assert.equal(broken?.errormessage.includes("SECRET"), false);
  });

  it("is refused with 20 when its body is no JSON, no UTF-8, or nested too deeply", () => {
    const session = new CoreHarness().login();
    const deep = `${"[".repeat(1_000)}${"]".repeat(1_000)}`;
    const bodies = [
      "",
      "{",
      "items",
      "[1,",
      deep,
      `{"items":[],"x":${deep}}`,
      Buffer.from([0x22, 0xff, 0x22]),
    ];
    for (const body of bodies) {
      assert.deepEqual(session.send("/v1/item/set", body).refusal, UNREADABLE, String(body));
    }
  });

  it("reads relaxed JSON only while it is short enough to be typed by hand", () => {
    const session = new CoreHarness().login();
    assert.equal(session.send("/v1/item/set", relaxedSet(4_096)).status, 200);
    assert.deepEqual(session.send("/v1/item/set", relaxedSet(4_097)).refusal, UNREADABLE);
  });

  it("is refused for items that are no list, or an empty one", () => {
    const session = new CoreHarness().login();
    for (const items of [undefined, null, [], {}, "x"]) {
      assert.deepEqual(session.trySet(items).refusal, REFUSED);
    }
    assert.deepEqual(session.send("/v1/item/set", "[]").refusal, REFUSED);
    assert.deepEqual(session.send("/v1/item/set", "1").refusal, REFUSED);
  });
});

describe("a limit of the local server", () => {
  it("on items in a request refuses one more", () => {
    const session = new CoreHarness({ limits: { requestItemsMax: 3 } }).login();
    const items = numbered(3).map((payload) => item(payload));
    assert.equal(session.trySet(items).status, 200);
    assert.deepEqual(session.trySet([...items, item()]).refusal, REFUSED);
  });

  it("on portals refuses one more until another's content is gone", () => {
    const server = new CoreHarness({ limits: { portalsMax: 2, sessionIdleMsMax: 7_200_000 } });
    const session = server.login();
    session.set("a", "1");
    session.set("b", "2");
    assert.deepEqual(session.trySet([item("3", "a"), item("3", "c")]).refusal, REFUSED);
    assert.deepEqual(session.get(["a"]).payloads, ["1"], "all or nothing");
    server.clock.advance(3_600_001);
    assert.equal(session.trySet([item("3", "c"), item("4", "d")]).status, 200);
    assert.deepEqual(session.trySet([item("5", "a")]).refusal, REFUSED);
  });

  it("on portals also bounds a get, and a get makes no portal", () => {
    const session = new CoreHarness({ limits: { portalsMax: 2 } }).login();
    assert.deepEqual(session.get(["a", "b", "c"]).refusal, REFUSED);
    session.get(["x", "y"], STREAM);
    session.set("a", "1");
    session.set("b", "2");
    assert.deepEqual(session.get([]).payloads, ["2", "1"]);
  });

  it("on a line refuses an item that could never fit, and takes the largest that can", () => {
    for (const preset of ["hosted", "local"] as const) {
      const session = new CoreHarness({ preset, limits: { requestBytesMax: 1_000_000 } }).login();
      // What a line has beyond the payload, with the longest sequence number.
      const seq = preset === "local" ? `,"seq":${Number.MAX_SAFE_INTEGER}` : "";
      const frame = `{"items":[{"portalid":"P","payload":"","servertimestamp":1234567890123${seq}}]}\n`;
      const largest = LIMITS[preset].lineBytesMax - frame.length;
      assert.deepEqual(session.trySet([item("x".repeat(largest + 1))]).refusal, UNREADABLE);
      // Escapes and multi-byte characters count as what they become.
      assert.deepEqual(
        session.trySet([item("\u0001".repeat(largest / 6 + 1))]).refusal,
        UNREADABLE,
      );
      assert.deepEqual(session.trySet([item("😀".repeat(largest / 4 + 1))]).refusal, UNREADABLE);
      session.set("P", "x".repeat(largest));
      const { text } = session.get(["P"]);
      assert.ok(text.length <= LIMITS[preset].lineBytesMax);
      assert.ok(text.length > LIMITS[preset].lineBytesMax - 20);
    }
  });

  it("on a line's bytes lets FIFO items wait for the next line, and LIFO skip what does not fit", () => {
    const options = { preset: "hosted", limits: { requestBytesMax: 100_000 } } as const;
    const server = new CoreHarness(options);
    const session = server.login();
    const payloads = numbered(7).map((name) => name.padEnd(300, "."));
    session.set("P", ...payloads);
    const received: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { text, payloads: part } = session.get(["P"], FIFO);
      assert.ok(Buffer.byteLength(text) <= 1_024);
      received.push(...part);
    }
    assert.deepEqual(received, payloads);
    session.set("P", "small", "b".repeat(400), "c".repeat(400), "d".repeat(400));
    const newest = session.get(["P"]).payloads.map(([first]) => first);
    assert.deepEqual(newest, ["d", "c", "s"]);
    assert.deepEqual(session.get(["P"]).payloads, []);
  });

  it("on a line's items holds for probes, and for lists where items are not numbered", () => {
    const options = { limits: { lineItemsMax: 2 }, extensions: { seq: false } };
    const session = new CoreHarness(options).login();
    session.set("P", "a", "b", "c");
    assert.deepEqual(session.get(["P"], FIFO).payloads, ["a", "b"]);
    assert.deepEqual(session.get(["P"], FIFO).payloads, ["c"]);
    session.set("Q", "d");
    session.set("R", "e");
    assert.deepEqual(session.get([]).payloads, ["e", "d"]);
  });

  it("on a line's items makes a list of several lines where items are numbered", () => {
    const session = new CoreHarness({ limits: { lineItemsMax: 2 } }).login();
    for (const portalId of ["P", "Q", "R"]) session.set(portalId, portalId.toLowerCase());
    const { text, payloads } = session.get([]);
    assert.deepEqual(payloads, ["r", "q", "p"]);
    assert.equal(text.trimEnd().split("\n").length, 2);
  });

  it("on requests refuses one more in any second with 429 and Retry-After, for each key alone", () => {
    const server = new CoreHarness({ preset: "hosted" });
    const session = server.login();
    server.clock.advance(1_000);
    const statuses = (count: number): number[] =>
      numbered(count).map(() => session.get(["P"]).status);
    assert.deepEqual(new Set(statuses(10)), new Set([200]));
    server.clock.advance(900);
    assert.deepEqual(new Set(statuses(10)), new Set([200]));
    const refused = session.get(["P"]);
    assert.deepEqual(refused.refusal, [429, 2, 429]);
    assert.equal(refused.headers["retry-after"], "1");
    server.clock.advance(100);
    assert.deepEqual(new Set(statuses(10)), new Set([200]));
    assert.equal(session.get(["P"]).status, 429);
  });

  it("on requests of a month refuses more until the month is over", () => {
    const server = new CoreHarness({ limits: { requestsPerMonthMax: 2 } });
    const session = server.login();
    assert.equal(session.get(["P"]).status, 200);
    assert.equal(session.get(["P"]).status, 200);
    const refused = session.get(["P"]);
    assert.deepEqual(refused.refusal, [429, 2, 429]);
    const seconds = Number(refused.headers["retry-after"]);
    server.clock.stepWall(seconds * 1_000);
    assert.equal(session.get(["P"]).status, 200);
  });

  it("on waiting gets refuses one more of a session, but no probe", () => {
    const server = new CoreHarness({ bounds: { waitingGetsPerSessionMax: 2 } });
    const session = server.login();
    const first = session.get(["P"], STREAM);
    session.get(["P"], STREAM);
    assert.deepEqual(session.get(["P"], STREAM).refusal, [429, 2, 429]);
    assert.equal(session.get(["P"]).status, 200);
    first.leave();
    assert.equal(session.get(["P"], STREAM).status, 200);
  });

  it("on memory lets a portal give up its own oldest items, but no other portal's", () => {
    const server = new CoreHarness({ bounds: { storedBytesMax: 10_000 } });
    const session = server.login();
    session.set("other", "o".repeat(1_000));
    const payloads = numbered(20).map((name) => name.padEnd(1_000, "."));
    for (const payload of payloads) session.set("P", payload);
    const held = session.get(["P"], FIFO).payloads;
    assert.ok(held.length >= 5 && held.length < 10);
    assert.deepEqual(held, payloads.slice(-held.length));
    assert.equal(session.get(["other"]).payloads.length, 1);
    assert.deepEqual(session.trySet([item("x".repeat(9_500), "new")]).refusal, [503, 2, 503]);
  });
});

describe("a ring of the local server", () => {
  it("that is overrun tenfold keeps the newest items, and sequence numbers tell how many are missing (V11)", () => {
    const session = new CoreHarness({
      limits: { ringItemsMax: 100, requestsPerSecondMax: 2_000 },
    }).login();
    session.set("P", "first");
    assert.deepEqual(session.get(["P"], FIFO).document.items?.[0]?.seq, 1);
    for (const payload of numbered(1_000)) session.set("P", payload);
    const items = session.get(["P"], FIFO).document.items ?? [];
    assert.deepEqual(
      items.map(({ payload }) => payload),
      numbered(100, 901),
    );
    assert.equal((items[0]?.seq ?? 0) - 1 - 1, 900);
    assert.deepEqual(
      items.map(({ seq }) => seq),
      Array.from({ length: 100 }, (_, at) => 902 + at),
    );
  });

  it("that is overrun by one set keeps its last items", () => {
    const session = new CoreHarness({ limits: { ringItemsMax: 3 } }).login();
    const stream = session.get(["P"], STREAM);
    session.set("P", ...numbered(5));
    assert.deepEqual(stream.payloads, ["p3", "p4", "p5"]);
  });
});

describe("sequence numbers of the local server", () => {
  it("start at 1 in each portal", () => {
    const session = new CoreHarness().login();
    session.set("P", "a", "b");
    session.set("Q", "c");
    const items = session.get(["P", "Q"], FIFO).document.items ?? [];
    assert.deepEqual(
      items.map(({ seq }) => seq),
      [1, 2, 1],
    );
  });

  it("go on when a portal's content expired and it comes again", () => {
    const server = new CoreHarness({ limits: { sessionIdleMsMax: 10_000_000, portalsMax: 1 } });
    const session = server.login();
    session.set("P", "a", "b");
    session.get(["P"]);
    server.clock.advance(7_200_000);
    session.set("Q", "c");
    server.clock.advance(7_200_000);
    session.set("P", "d");
    const items = session.get(["P"], FIFO).document.items ?? [];
    assert.deepEqual(
      items.map(({ seq, payload }) => [seq, payload]),
      [[3, "d"]],
    );
  });

  it("go on above all forgotten ones when more portals came and went than can be remembered", () => {
    const server = new CoreHarness({
      limits: { sessionIdleMsMax: 1e9, portalsMax: 1, itemAgeMsMax: 10 },
    });
    const session = server.login();
    session.set("P", ...numbered(7));
    for (const portal of numbered(20)) {
      server.clock.advance(1_000);
      session.set(portal, "x");
    }
    server.clock.advance(1_000);
    session.set("P", "again");
    assert.equal(session.get(["P"]).document.items?.[0]?.seq, 8);
  });

  it("are left out where the extension is off", () => {
    const session = new CoreHarness({ extensions: { seq: false } }).login();
    session.set("P", "a");
    const [first] = session.get(["P"]).document.items ?? [];
    assert.deepEqual(Object.keys(first ?? {}), ["portalid", "payload", "servertimestamp"]);
  });
});
