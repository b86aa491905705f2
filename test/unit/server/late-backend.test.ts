import { strict as assert } from "node:assert";
import type { XrtcServerOptions } from "../../../src/server/options.js";
import {
  ALICE,
  CoreHarness,
  cookiesOf,
  FIFO,
  type RecordedReply,
  SessionHarness,
  STREAM,
  WATCH,
} from "./core-harness.js";
import { LateBackend, type Step, settled } from "../../support/late-backend.js";

const UNAVAILABLE = [503, 2, 503];
const DENIED = [401, 4, 10011];

interface Stage {
  readonly server: CoreHarness;
  readonly backend: LateBackend;
  readonly session: SessionHarness;
}

/** A server on a backend that answers later, and somebody who is logged in. */
async function stage(options: Partial<XrtcServerOptions> = {}): Promise<Stage> {
  let backend: LateBackend | undefined;
  const server = new CoreHarness(options, (settings) => (backend = new LateBackend(settings)));
  const reply = server.tryLogin();
  await settled();
  assert.equal(reply.status, 200, reply.text);
  const session = new SessionHarness(server, cookiesOf(reply), "127.0.0.1");
  return { server, backend: backend as LateBackend, session };
}

const items = (portalid: string, ...payloads: readonly string[]): object[] =>
  payloads.map((payload) => ({ portalid, payload }));

async function answered(reply: RecordedReply): Promise<RecordedReply> {
  await settled();
  assert.ok(reply.isEnded, "answered");
  return reply;
}

/** An item set, and the set answered. */
async function set({ session }: Stage, portal: string, ...payloads: string[]): Promise<void> {
  const reply = await answered(session.trySet(items(portal, ...payloads)));
  assert.equal(reply.status, 200, reply.text);
}

describe("a server whose backend answers later", () => {
  it("answers each call as any other does", async () => {
    const all = await stage();
    const { session } = all;
    assert.equal((await answered(session.get(["P", "Q"]))).text, "{}\n");
    await set(all, "P", "a", "b");
    await set(all, "Q", "c");
    assert.deepEqual((await answered(session.get(["P", "Q"], FIFO))).payloads, ["a", "b", "c"]);
    assert.equal((await answered(session.get(["P", "Q"], FIFO))).text, "{}\n");
    const again = [{ portalid: "P", servertimestamp: 1 }];
    assert.deepEqual((await answered(session.get(again, FIFO))).payloads, ["a", "b"]);
    assert.deepEqual((await answered(session.get([]))).payloads, ["c", "b"]);
    const watch = session.get(["P"], WATCH);
    const stream = session.get(["Q"], STREAM);
    await settled();
    assert.deepEqual([watch.status, stream.isFlushed], [0, true]);
    await set(all, "P", "d");
    await set(all, "Q", "e");
    await set(all, "Q", "f");
    assert.deepEqual([watch.payloads, stream.payloads], [["d"], ["e", "f"]]);
    assert.equal(all.server.core.stats.waitingGets, 1);
  });

  it("registers an account that can log in", async () => {
    const { server } = await stage();
    const start = await answered(
      server.post("/v1/auth/registrationstart", { email: "a@b.example" }),
    );
    const code = server.log.find(({ event }) => event === "registration-code")?.["code"];
    const finish = await answered(
      server.post("/v1/auth/registrationcode", {
        registrationtoken: start.document.registrationtoken,
        emailcode: code,
      }),
    );
    const { accountid = "", apikey = "" } = finish.document;
    const login = server.tryLogin({ accountId: accountid, apiKey: apikey });
    assert.equal((await answered(login)).status, 200);
  });

  it("leaves nothing out that comes to one portal of a get while it reads another", async () => {
    const all = await stage();
    const { backend, session } = all;
    const stream = session.get(["P", "Q"], STREAM);
    await settled();
    backend.hold("read");
    await set(all, "P", "a");
    assert.equal(backend.waitingAt("read"), 1);
    await set(all, "Q", "b");
    await set(all, "P", "c");
    assert.equal(backend.waitingAt("read"), 1, "one at a time");
    await backend.release("read");
    assert.deepEqual(stream.payloads.toSorted(), ["a", "b", "c"]);
    assert.ok(stream.payloads.indexOf("a") < stream.payloads.indexOf("c"));
  });

  for (const step of ["positions", "read", "move"] as const) {
    it(`gives each item to one of two gets of a session that both wait at "${step}"`, async () => {
      const all = await stage();
      const { backend, session } = all;
      const streams = [session.get(["P"], STREAM), session.get(["P"], STREAM)];
      const probes = [session.get(["P"], FIFO), session.get(["P"], FIFO)];
      await Promise.all(probes.map(answered));
      backend.hold(step);
      await set(all, "P", "a", "b");
      await set(all, "P", "c");
      assert.equal(backend.waitingAt(step), step === "move" ? 1 : 2);
      await backend.release(step);
      const got = streams.flatMap(({ payloads }) => payloads);
      assert.deepEqual(got.toSorted(), ["a", "b", "c"]);
    });
  }

  it("leaves to a session's latest get what others want too, and to them what it did not take", async () => {
    const all = await stage();
    const { backend, session } = all;
    const old = session.get(["P", "Q"], STREAM);
    const middle = session.get(["P"], STREAM);
    const young = session.get(["P", "R"], STREAM);
    await settled();
    await set(all, "P", "a");
    await set(all, "Q", "b");
    assert.deepEqual([old.payloads, middle.payloads, young.payloads], [["b"], [], ["a"]]);
    backend.hold("read");
    await set(all, "P", "c");
    young.leave();
    await backend.release("read");
    assert.deepEqual([old.payloads, middle.payloads, young.payloads], [["b"], ["c"], ["a"]]);
    middle.leave();
    await set(all, "P", "d");
    assert.deepEqual(old.payloads, ["b", "d"]);
  });

  it("hands on the line whose move is under way when the get's time is over, and ends it then", async () => {
    const all = await stage();
    const { backend, session, server } = all;
    const stream = session.get(["P"], STREAM);
    const watch = session.get(["Q"], WATCH);
    await settled();
    backend.hold("move");
    await set(all, "P", "a");
    await set(all, "Q", "b");
    server.clock.advance(5_000);
    assert.deepEqual([stream.isEnded, watch.isEnded], [false, false]);
    await set(all, "P", "c");
    await backend.release("move");
    assert.deepEqual([stream.payloads, watch.payloads], [["a"], ["b"]]);
    assert.deepEqual([stream.isEnded, watch.isEnded], [true, true]);
    assert.deepEqual((await answered(session.get(["P", "Q"], FIFO))).payloads, ["c"]);
    assert.equal(server.core.stats.waitingGets, 0);
  });

  for (const step of ["positions", "read"] as const) {
    it(`keeps for the next get what one waited for at "${step}" when its time was over`, async () => {
      const all = await stage();
      const { backend, session, server } = all;
      const stream = session.get(["P"], STREAM);
      await settled();
      backend.hold(step);
      await set(all, "P", "a");
      server.clock.advance(5_000);
      assert.equal(stream.text, "{}\n");
      await backend.release(step);
      assert.deepEqual((await answered(session.get(["P"]))).payloads, ["a"]);
    });

    it(`keeps for the next get what one waited for at "${step}" when its client left`, async () => {
      const all = await stage();
      const { backend, session, server } = all;
      await set(all, "P", "a");
      backend.hold(step);
      const gets = [session.get(["P"], STREAM), session.get(["P"], WATCH), session.get(["P"])];
      await settled();
      assert.equal(backend.waitingAt(step), 3);
      for (const get of gets) get.leave();
      await backend.release(step);
      assert.deepEqual(gets.map(({ text }) => text).join(""), "");
      assert.deepEqual((await answered(session.get(["P"]))).payloads, ["a"]);
      assert.equal(server.core.stats.waitingGets, 0);
    });
  }

  it("begins nothing for a client that left before it was let in, and lets its session end", async () => {
    const all = await stage();
    const { backend, session, server } = all;
    await set(all, "P", "a");
    backend.hold("enter");
    const get = session.get(["P"]);
    get.leave();
    await backend.release("enter");
    assert.deepEqual([get.status, get.text], [0, ""]);
    assert.deepEqual((await answered(session.get(["P"]))).payloads, ["a"]);
    server.clock.advance(60_001);
    assert.deepEqual((await answered(session.get(["P"]))).refusal, DENIED);
  });

  it("denies a session that was ended by another login meanwhile", async () => {
    const { backend, session, server } = await stage({ secondLogin: "end" });
    server.clock.advance(5_000);
    const stream = session.get(["P"], STREAM);
    await settled();
    backend.hold("set");
    const entered = session.trySet(items("P", "a"));
    await settled();
    const login = await answered(server.tryLogin(ALICE));
    assert.equal(stream.text, "{}\n");
    assert.deepEqual((await answered(session.get(["P"]))).refusal, DENIED);
    await backend.release("set");
    assert.equal(entered.status, 200);
    const next = new SessionHarness(server, cookiesOf(login), "127.0.0.1");
    assert.deepEqual((await answered(next.get(["P"]))).payloads, ["a"]);
  });

  it("answers 503 and not 401 to who was let in when it had begun to close", async () => {
    const { backend, session, server } = await stage();
    backend.hold("enter");
    const get = session.get(["P"], WATCH);
    server.core.end();
    await backend.release("enter");
    assert.deepEqual(get.refusal, UNAVAILABLE);
    await server.core.close();
    assert.equal(server.clock.pending, 0);
  });

  const gets: readonly Step[] = ["enter", "positions", "read", "move"];
  for (const step of gets) {
    it(`answers 503 to a get when the backend fails at "${step}"`, async () => {
      const all = await stage();
      const { backend, session, server } = all;
      await set(all, "P", "a");
      backend.fail(step);
      for (const options of [{}, WATCH]) {
        assert.deepEqual((await answered(session.get(["P"], options))).refusal, UNAVAILABLE);
      }
      const stream = await answered(session.get(["P"], STREAM));
      assert.deepEqual(stream.lines.at(-1)?.error?.errorgroup, 2);
      assert.equal(server.core.stats.waitingGets, 0);
    });
  }

  for (const step of ["enter", "set"] as const) {
    it(`answers 503 to a set when the backend fails at "${step}"`, async () => {
      const { backend, session } = await stage();
      backend.fail(step);
      const reply = await answered(session.trySet(items("P", "a")));
      assert.deepEqual(reply.refusal, UNAVAILABLE);
    });
  }

  it("answers 503 to a login, a list and a registration when the backend fails", async () => {
    const { backend, session, server } = await stage();
    for (const step of ["login", "latest", "accounts", "registrations"] as const) {
      backend.fail(step);
    }
    const body = { registrationtoken: "t", emailcode: "000000" };
    for (const reply of [
      server.tryLogin(),
      session.get([]),
      server.post("/v1/auth/registrationstart", { email: "a@b.example" }),
      server.post("/v1/auth/registrationcode", body),
    ]) {
      assert.deepEqual((await answered(reply)).refusal, UNAVAILABLE);
    }
  });
});
