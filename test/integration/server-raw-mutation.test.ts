import { strict as assert } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { oneOf, seededRandom, wholeBelow } from "../support/seeded-random.js";
import { FAMILIES } from "./raw/families.js";
import { kept, type RawForm } from "./raw/form.js";
import { prepare, send } from "./raw/run.js";
import { Stage } from "./server-raw.js";

const SEED = Number(process.env["XRTC_SEED"] ?? 20_261_123);
const COUNT = 2_000;
const AT_A_TIME = 100;
const BYTES_MAX = 4_000;
const GOOD = new Set([100, 200, 400, 401, 403, 404, 405, 408, 409, 413, 417, 429, 431, 501, 505]);

/** What turns one message into another, when it stands where it should not. */
const PIECES = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  ":",
  ";",
  "0\r\n\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: localhost\r\n",
  "Expect: 100-continue\r\n",
  "Connection: close\r\n",
  "Upgrade: h2c\r\nConnection: Upgrade\r\n",
  "HTTP/1.0",
  "\xff",
] as const;

type Next = () => number;

const FORMS = FAMILIES.flatMap(({ forms }) => forms).filter(
  ({ bytes, isHead }) => bytes.length < BYTES_MAX && isHead !== true,
);

function mutated(bytes: string, next: Next): string {
  const at = wholeBelow(next, bytes.length + 1);
  const [before, after] = [bytes.slice(0, at), bytes.slice(at)];
  const few = wholeBelow(next, 20);
  switch (wholeBelow(next, 5)) {
    case 0:
      return before + String.fromCharCode(wholeBelow(next, 256)) + after.slice(1);
    case 1:
      return before + after.slice(few);
    case 2:
      return before + after.slice(0, few) + after;
    case 3:
      return before + oneOf(next, [...PIECES] as [string, ...string[]]) + after;
    default: {
      const other = FORMS[wholeBelow(next, FORMS.length)]?.bytes ?? "";
      return before + other.slice(wholeBelow(next, other.length));
    }
  }
}

function mutation(next: Next, number: number): RawForm {
  const form = FORMS[wholeBelow(next, FORMS.length)];
  let bytes = form?.bytes ?? "";
  for (let times = 1 + wholeBelow(next, 3); times > 0; times -= 1) bytes = mutated(bytes, next);
  return kept(`mutation ${number} of ${form?.name} with the seed ${SEED}`, bytes, []);
}

describe("the local server, told what nobody has thought of", function () {
  this.timeout(60_000);

  it(`answers in well-formed answers, ends, and serves on: ${COUNT} mutations of the raw forms`, async () => {
    const bounds = { headersTimeoutMs: 300, requestTimeoutMs: 400, checkIntervalMs: 20 };
    const limits = { loginIntervalMsMin: 0, ringItemsMax: 50, getTimeoutMs: 100 };
    await using stage = await Stage.open({ bounds, limits });
    const session = await prepare(stage);
    const next = seededRandom(SEED);
    const mutations = Array.from({ length: COUNT }, (_, at) => mutation(next, at)).values();
    const work = async (): Promise<void> => {
      for (const form of mutations) {
        // What comes back is taken apart there, answer by answer, with nothing left over.
        const { statuses, isClosed, isProbeAnswered } = await send(stage.server, form, session);
        assert.ok(isClosed || isProbeAnswered, form.name);
        for (const status of statuses) assert.ok(GOOD.has(status), `${status} to ${form.name}`);
        // No request is shorter than its version.
        const asked = form.bytes.split("HTTP/").length + form.bytes.split("\n\n").length;
        const final = statuses.filter((status) => status !== 100);
        assert.ok(final.length <= 1 + asked, `${final.length} answers to ${form.name}`);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    const after = await send(stage.server, kept("a good request", "", []), session);
    assert.deepEqual(after, { statuses: [], isProbeAnswered: true, isClosed: false });
    while (stage.server.stats.sockets > 0) await setImmediate();
    assert.equal(stage.server.stats.waitingGets, 0);
  });
});
