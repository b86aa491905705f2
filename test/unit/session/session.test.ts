import assert from "node:assert/strict";
import { XrtcError } from "../../../src/errors.js";
import { Redacted } from "../../../src/primitives/redacted.js";
import { LIMITS } from "../../../src/protocol/limits.js";
import { Session } from "../../../src/session/session.js";
import { TransportError } from "../../../src/transport/transport.js";
import {
  errorAnswer,
  LOGIN_ANSWER,
  ScriptedTransport,
  type Script,
} from "../../support/scripted-transport.js";
import { settled, VirtualClock } from "../../support/virtual-clock.js";

const urls = {
  login: "http://localhost/v1/auth/login",
  set: "http://localhost/v1/item/set",
  get: "http://localhost/v1/item/get",
};

function setUp(script: Script) {
  const clock = new VirtualClock();
  const transport = new ScriptedTransport(script);
  const session = new Session({
    urls,
    accountId: "AC1",
    apiKey: new Redacted("k".repeat(32)),
    limits: LIMITS.hosted,
    requestTimeoutMs: 10_000,
    transport,
    clock,
    random: { next: () => 0.5, id: () => "id" },
  });
  const post = (signal = new AbortController().signal) =>
    session.post("set", () => "{}", { lane: "command", signal });
  return { clock, transport, session, post };
}

const isLogin = ({ url }: { readonly url: string }): boolean => url === urls.login;
const OK = { body: ['{"servertimestamp":1}'] };
const DENIED = { status: 401, body: ["{}"] };
const refusedConnection = (): Error => new TransportError("connect", false, new Error("refused"));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "ok";
  } catch (error) {
    assert(error instanceof XrtcError, String(error));
    return error.code;
  }
}

describe("A session", () => {
  it("logs in at its first request, once for all that ask at the same time", async () => {
    const { transport, post } = setUp((request) => (isLogin(request) ? LOGIN_ANSWER : OK));
    assert.equal(transport.requests.length, 0);
    await Promise.all([post(), post(), post()]);
    assert.equal(transport.count("/auth/login"), 1);
    assert.equal(transport.count("/item/set"), 3);
  });

  it("sends the cookies back, merged from every answer", async () => {
    const { transport, post } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      return index === 1 ? { ...OK, cookies: ["AWSALBAPP-0=b; Path=/"] } : OK;
    });
    await post();
    await post();
    const [, first, second] = transport.requests.map(({ headers }) => headers["cookie"]);
    assert.deepEqual(first?.split("; ").toSorted(), ["AWSALBAPP-0=a", "JSESSIONID=one"]);
    assert.deepEqual(second?.split("; ").toSorted(), ["AWSALBAPP-0=b", "JSESSIONID=one"]);
  });

  it("drops a cookie that the service deletes", async () => {
    const { transport, post } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      return index === 1 ? { ...OK, cookies: ["AWSALBAPP-0=; Path=/; Max-Age=0"] } : OK;
    });
    await post();
    await post();
    assert.equal(transport.requests[2]?.headers["cookie"], "JSESSIONID=one");
  });

  it("logs in once for a denied session and sends the request again", async () => {
    const { transport, post, clock } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      return index === 2 ? DENIED : OK;
    });
    await post();
    const again = Promise.all([post(), post()]);
    await clock.advance(6_000);
    await again;
    assert.equal(transport.count("/auth/login"), 2);
    assert.equal(transport.count("/item/set"), 4);
  });

  it("does not log in for a late denial of an older login", async () => {
    let answerLate: (() => void) | undefined;
    const { transport, post, clock } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      // The first set hangs; the second is denied and renews the login; then the first is denied, too.
      if (index === 1) return new Promise((resolve) => (answerLate = () => resolve(DENIED)));
      return index === 2 ? DENIED : OK;
    });
    const late = post();
    await settled();
    const renewing = post();
    await clock.advance(6_000);
    await renewing;
    answerLate?.();
    await late;
    assert.equal(transport.count("/auth/login"), 2);
  });

  it("gives a request up that is denied under three logins in a row", async () => {
    const { transport, post, clock } = setUp((request) =>
      isLogin(request) ? LOGIN_ANSWER : DENIED,
    );
    const code = codeOf(post());
    await clock.advance(60_000);
    assert.equal(await code, "XRTC_SESSION_DENIED");
    assert.equal(transport.count("/item/set"), 3);
  });

  it("keeps 5.25 s between logins that reached the service", async () => {
    const times: number[] = [];
    const { post, clock } = setUp((request) => {
      if (!isLogin(request)) return DENIED;
      times.push(clock.now());
      return LOGIN_ANSWER;
    });
    const code = codeOf(post());
    await clock.advance(60_000);
    await code;
    assert.equal(times.length, 3);
    for (const [index, time] of times.entries()) {
      if (index > 0) assert(time - (times[index - 1] ?? 0) >= 5_250, times.join());
    }
  });

  it("tries a service again soon that refuses connections", async () => {
    let up = false;
    const { post, clock, session } = setUp((request) => {
      if (!up) return refusedConnection();
      return isLogin(request) ? LOGIN_ANSWER : OK;
    });
    assert.equal(await codeOf(post()), "XRTC_UNREACHABLE");
    assert.equal(session.status.value.kind, "waiting");
    up = true;
    const done = codeOf(post());
    await clock.advance(3_000);
    assert.equal(await done, "ok");
    assert.equal(session.status.value.kind, "connected");
  });

  it("fails at once with refused credentials, and asks again after 15 minutes", async () => {
    const { transport, post, clock, session } = setUp(() =>
      errorAnswer(4, 35, "Invalid credentials"),
    );
    assert.equal(await codeOf(post()), "XRTC_CREDENTIALS_REFUSED");
    const status = session.status.value;
    assert(status.kind === "refused");
    assert.match(status.cause.message, /Invalid credentials \(code 35\)/);
    await clock.advance(899_000);
    assert.equal(await codeOf(post()), "XRTC_CREDENTIALS_REFUSED");
    assert.equal(transport.requests.length, 1);
    await clock.advance(2_000);
    assert.equal(await codeOf(post()), "XRTC_CREDENTIALS_REFUSED");
    assert.equal(transport.requests.length, 2);
  });

  it("says after six refusals for frequency that another client uses the key", async () => {
    const { post, clock, transport } = setUp(() => errorAnswer(4, 45, "Too frequent login"));
    const failed = assert.rejects(post(), /Another client uses this key/);
    await clock.advance(60_000);
    await failed;
    assert.equal(transport.requests.length, 6);
  });

  it("waits the interval when its login is refused for frequency only", async () => {
    const { post, clock, transport } = setUp((request, index) => {
      if (index === 0) return errorAnswer(4, 45, "Too frequent login");
      return isLogin(request) ? LOGIN_ANSWER : OK;
    });
    const done = codeOf(post());
    await clock.advance(5_300);
    assert.equal(await done, "ok");
    assert.equal(transport.count("/auth/login"), 2);
  });

  it("logs in before a request when it has been idle for a minute", async () => {
    const { transport, post, clock } = setUp((request) => (isLogin(request) ? LOGIN_ANSWER : OK));
    await post();
    await clock.advance(61_000);
    await post();
    assert.deepEqual(
      transport.requests.map(({ url }) => url),
      [urls.login, urls.set, urls.login, urls.set],
    );
  });

  it("sends no more than 20 requests in any second under the hosted limits", async () => {
    const times: number[] = [];
    const { post, clock } = setUp((request) => {
      times.push(clock.now());
      return isLogin(request) ? LOGIN_ANSWER : OK;
    });
    const all = Promise.all(Array.from({ length: 100 }, () => post()));
    await clock.advance(10_000);
    await all;
    assert.equal(times.length, 101);
    for (const [index, time] of times.entries()) {
      const twentyLater = times[index + 20];
      if (twentyLater !== undefined) assert(twentyLater - time > 1_000);
    }
  });

  it("waits as long as the service asks, and at most a minute", async () => {
    const { clock, session, post, transport } = setUp((request) =>
      isLogin(request) ? LOGIN_ANSWER : OK,
    );
    await post();
    session.troubled(
      new XrtcError("XRTC_THROTTLED", "wait", { retryable: true, retryAfterMs: 2_000 }),
      1,
      2_000,
    );
    const waiting = post();
    await clock.advance(1_900);
    assert.equal(transport.count("/item/set"), 1);
    await clock.advance(200);
    await waiting;
    assert.equal(transport.count("/item/set"), 2);
  });

  it("tells everybody who waits for a login that it was closed, and leaves no timer", async () => {
    const { clock, session, post } = setUp(() => undefined);
    const waiting = codeOf(post());
    await settled();
    await session.close();
    assert.equal(await waiting, "XRTC_CLOSED");
    assert.equal(await codeOf(post()), "XRTC_CLOSED");
    assert.equal(clock.timerCount, 0);
    assert.equal(session.status.value.kind, "closed");
  });

  it("gives a login up that is not answered within 10 s", async () => {
    const { clock, post } = setUp(() => undefined);
    const code = codeOf(post());
    await clock.advance(10_000);
    assert.equal(await code, "XRTC_TIMEOUT");
  });
});
