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
  type Answer,
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

const GONE = { status: 503, body: ["<html>"] };
/** A session behind a balancer that gives these answers to its sets, again and again. */
const balanced = (answers: readonly Answer[]) => {
  let sets = 0;
  const world = setUp((request) => {
    if (isLogin(request)) return LOGIN_ANSWER;
    sets += 1;
    return answers[(sets - 1) % answers.length];
  });
  return {
    ...world,
    /** A set, and what a reader makes of its answer. */
    async set(): Promise<void> {
      const posting = world.post();
      const over = new AbortController();
      void posting.finally(() => over.abort());
      while (!over.signal.aborted) await world.clock.advance(1_000);
      const answer = await posting;
      if (answer.response.status === 200) world.session.answered();
      else await world.session.refused(answer);
    },
  };
};

describe("A session", () => {
  it("logs in at its first request, once for all that ask at the same time", async () => {
    const { transport, post } = setUp((request) => (isLogin(request) ? LOGIN_ANSWER : OK));
    assert.equal(transport.requests.length, 0);
    await Promise.all([post(), post(), post()]);
    assert.equal(transport.count("/auth/login"), 1);
    assert.equal(transport.count("/item/set"), 3);
  });

  it("measures the server's clock against this machine's, halfway through its login", async () => {
    const { clock, session } = setUp(async () => {
      await new Promise<void>((resolve) => {
        clock.schedule(400, resolve);
      });
      return { body: ['{"servertimestamp":1700000005200}'] };
    });
    assert.equal(session.clockOffsetMs, undefined);
    const login = session.login();
    await clock.advance(400);
    await login;
    assert.equal(session.clockOffsetMs, 5_000);
    await clock.advance(120_000);
    assert.equal(session.clockOffsetMs, 5_000, "it outlives the login");
    clock.stepWall(-3_000);
    assert.equal(session.clockOffsetMs, 8_000, "this machine's clock was set");
    await session.close();
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

  it("waits as long as the service asks, even when nobody reads what it said", async () => {
    const { clock, post, transport } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      return index === 1 ? { status: 503, headers: { "retry-after": "2" } } : OK;
    });
    (await post()).response.discard();
    const waiting = post();
    await clock.advance(1_900);
    assert.equal(transport.count("/item/set"), 1);
    await clock.advance(200);
    await waiting;
    assert.equal(transport.count("/item/set"), 2);
  });

  it("logs in before a request whose login ended while it waited for its turn", async () => {
    const { clock, post, transport } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      return index === 1 ? { status: 429, headers: { "retry-after": "9999" }, body: [""] } : OK;
    });
    await post();
    await clock.advance(30_000);
    const waiting = post();
    await clock.advance(31_000);
    await waiting;
    assert.deepEqual(
      transport.requests.map(({ url }) => url),
      [urls.login, urls.set, urls.login, urls.set],
    );
  });

  it("keeps its login for as long as there is a request a minute", async () => {
    const { transport, post, clock } = setUp((request) => (isLogin(request) ? LOGIN_ANSWER : OK));
    for (let count = 0; count < 5; count += 1) {
      await post();
      await clock.advance(55_000);
    }
    assert.equal(transport.count("/auth/login"), 1);
  });

  it("does not take asking for a login for use of the session", async () => {
    const { clock, post, session, transport } = setUp((request) =>
      isLogin(request) ? LOGIN_ANSWER : OK,
    );
    await post();
    await clock.advance(40_000);
    await session.login();
    await clock.advance(21_000);
    await post();
    assert.equal(transport.count("/auth/login"), 2);
  });

  it("gives a login that has to wait for its turn its whole time after that", async () => {
    const { clock, post, transport } = setUp((request, index) => {
      if (isLogin(request)) return LOGIN_ANSWER;
      const headers = { "retry-after": "60" };
      return index === 1 ? { status: 401, headers, body: [""] } : OK;
    });
    const done = codeOf(post());
    await clock.advance(59_000);
    assert.equal(transport.requests.length, 2);
    await clock.advance(2_000);
    assert.equal(await done, "ok");
  });

  describe("behind a balancer", () => {
    it("drops its cookie and logs in again after two answers of 503 in a row", async () => {
      const { set, clock, transport } = balanced([OK, GONE, GONE, OK]);
      for (let count = 0; count < 3; count += 1) await set();
      assert.equal(transport.count("/auth/login"), 1);
      await clock.advance(5_000);
      await set();
      assert.equal(transport.count("/auth/login"), 2);
      assert.equal(transport.requests.at(-2)?.headers["cookie"], undefined);
    });

    const harmless: Readonly<Record<string, readonly Answer[]>> = {
      "one alone": [GONE, OK],
      "one between other failures": [GONE, { status: 502, body: ["<html>"] }],
      "those that ask to wait": [{ ...GONE, headers: { "retry-after": "0" } }],
      "those in the service's own words": [{ ...errorAnswer(2, 99, "busy"), status: 503 }],
    };
    for (const [name, answers] of Object.entries(harmless)) {
      it(`keeps its login after answers of 503: ${name}`, async () => {
        const { set, transport } = balanced(answers);
        for (let count = 0; count < 8; count += 1) await set();
        assert.equal(transport.count("/auth/login"), 1);
      });
    }

    it("logs in ever more rarely while every request is answered with 503", async () => {
      const { set, transport, clock } = balanced([GONE]);
      while (clock.now() < 3_600_000) await set();
      // Two requests a login. The interval alone would let one follow each 5.25 s.
      const logins = transport.count("/auth/login");
      assert(logins > 100 && logins < 250, `${logins}`);
    });
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
