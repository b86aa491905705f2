import assert from "node:assert/strict";
import {
  answerFailure,
  asThrottled,
  leastWaitMs,
  parseRetryAfter,
  transportFailure,
} from "../../../src/session/failure.js";
import { isAmbiguous } from "../../../src/protocol/error-codes.js";
import { AmbiguousStreak } from "../../../src/session/ambiguous-streak.js";
import { TransportError } from "../../../src/transport/transport.js";

const answer = (status: number, code?: number, group = 6) =>
  answerFailure({
    status,
    retryAfterMs: undefined,
    error: code === undefined ? undefined : { group, code, message: "words" },
  });

describe("A failed answer", () => {
  const cases: readonly (readonly [number, number | undefined, string, boolean, string])[] = [
    [400, 20, "XRTC_ITEM_REFUSED", false, "fail"],
    [400, 30, "XRTC_ITEM_REFUSED", false, "fail"],
    [400, 35, "XRTC_CREDENTIALS_REFUSED", false, "fail"],
    [400, 45, "XRTC_LOGIN_TOO_FREQUENT", true, "fail"],
    [400, 999, "XRTC_SERVICE", true, "fail"],
    [401, 10011, "XRTC_SESSION_DENIED", true, "fail"],
    [403, undefined, "XRTC_ENDPOINT", false, "fail"],
    [404, undefined, "XRTC_ENDPOINT", false, "fail"],
    [301, undefined, "XRTC_ENDPOINT", false, "fail"],
    [307, undefined, "XRTC_ENDPOINT", false, "fail"],
    [408, undefined, "XRTC_UNAVAILABLE", true, "unknown"],
    [413, undefined, "XRTC_ITEM_REFUSED", false, "fail"],
    [429, undefined, "XRTC_THROTTLED", true, "fail"],
    [500, undefined, "XRTC_UNAVAILABLE", true, "unknown"],
    [502, undefined, "XRTC_UNAVAILABLE", true, "unknown"],
    [204, undefined, "XRTC_RESPONSE_INVALID", true, "unknown"],
  ];
  for (const [status, serviceCode, code, retryable, outcome] of cases) {
    it(`with status ${status} and code ${serviceCode ?? "none"} is ${code}`, () => {
      const failure = answer(status, serviceCode);
      assert.deepEqual(
        [failure.code, failure.retryable, failure.outcome],
        [code, retryable, outcome],
      );
    });
  }

  it("keeps the service's words, cut and without control characters", () => {
    const message = `a\u0000b\u202e${"x".repeat(5_000)}`;
    const failure = answerFailure({
      status: 400,
      retryAfterMs: undefined,
      error: { group: 6, code: 30, message },
    });
    assert(failure.message.length < 260);
    assert.match(failure.message, /^[\u0020-\u007e…]+$/);
  });
});

describe("A refusal with a code that nobody knows", () => {
  it("is ambiguous, unless the system says of itself that it passes", () => {
    const told = [answer(400, 999, 6), answer(400, 999, 7), answer(400, 999, 2), answer(400, 30)];
    assert.deepEqual(told.map(isAmbiguous), [true, true, false, false]);
    assert.deepEqual(told.map(leastWaitMs), [1_000, 1_000, 0, 0]);
  });

  it("is a throttle when three come within ten seconds, and then keeps the service's words and code", () => {
    const streak = new AmbiguousStreak();
    const told = [0, 5_000, 10_000, 14_999, 15_000, 40_000, 45_000].map((at) => streak.refused(at));
    assert.deepEqual(told, [false, false, false, true, true, false, false]);
    const { code, retryable, outcome, serviceCode, message } = asThrottled(answer(400, 999));
    assert.deepEqual(
      [code, retryable, outcome, serviceCode],
      ["XRTC_THROTTLED", true, "fail", 999],
    );
    assert.match(message, /words \(code 999\)/);
  });
});

describe("A lost connection", () => {
  it("before a byte was written is a failure, after that it is unknown", () => {
    const before = transportFailure(new TransportError("broken", false, new Error("reset")));
    const after = transportFailure(new TransportError("broken", true, new Error("reset")));
    assert.equal((before as { outcome?: string }).outcome, "fail");
    assert.equal((after as { outcome?: string }).outcome, "unknown");
  });

  it("passes the reason of an abort unchanged", () => {
    const reason = new Error("mine");
    assert.equal(transportFailure(reason), reason);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    ["2", 2_000],
    ["9999", 60_000],
    ["-1", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 00:00:30 GMT", undefined],
  ];
  for (const [header, expected] of cases) {
    it(`of ${JSON.stringify(header)} asks for ${expected ?? "nothing"}`, () => {
      assert.equal(parseRetryAfter(header, now), expected);
    });
  }
});
