import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { XrtcClient, type Clock, type Gap } from "../../src/index.js";
import { FaultProxy, type Cut } from "../support/fault-proxy.js";
import { reset } from "../support/reset.js";
import { scaledClock } from "../support/scaled-clock.js";
import { credentials, startService } from "../support/service.js";

const GET = "/v1/item/get";
const LINES = ["one", "zwei ü", "three 🌍"].map((payload, at) => ({
  portalid: "p",
  payload,
  servertimestamp: 1_700_000_000_000 + at,
  seq: at + 1,
}));
const GET_TIMEOUT_MS = 4_000;
const BODY = Buffer.from(LINES.map((item) => `${JSON.stringify({ items: [item] })}\n`).join(""));
const PAYLOADS = LINES.map(({ payload }) => payload);

/** What a scripted service leaves out. */
interface Kind {
  readonly numbered: boolean;
}

/**
 * A service whose portals each hold the same three items; the first get of each is answered with three lines that are
 * cut after so many bytes, the next ones are answered as they should be.
 */
async function cuttingService(how: Cut | "clean", { numbered }: Kind) {
  const portals = new Map<string, { cutAt: number; asked: number }>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      if (request.url?.endsWith("/auth/login") === true) {
        response.end(
          JSON.stringify({
            servertimestamp: 1,
            ...(numbered ? { epoch: "e", extensions: ["seq"] } : {}),
          }),
        );
        return;
      }
      const wanted = JSON.parse(body) as {
        portals: { portalid: string; servertimestamp?: number }[];
      };
      const [asked] = wanted.portals;
      const portal = portals.get(asked?.portalid ?? "");
      if (asked === undefined || portal === undefined) {
        response.end("{}\n");
        return;
      }
      const from = asked.servertimestamp ?? Infinity;
      const lines = LINES.filter(({ servertimestamp }) => servertimestamp >= from)
        .map(({ seq, ...item }) => ({
          ...item,
          portalid: asked.portalid,
          ...(numbered ? { seq } : {}),
        }))
        .map((item) => `${JSON.stringify({ items: [item] })}\n`);
      const whole = Buffer.from(lines.join("") || "{}\n");
      portal.asked += 1;
      if (portal.asked > 1) {
        response.end(whole);
        return;
      }
      response.write(whole.subarray(0, portal.cutAt), () => {
        if (how === "clean") response.end();
        else if (how === "fin") response.socket?.destroySoon();
        else reset(response.socket);
      });
      if (portal.cutAt === 0) response.flushHeaders();
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => {
    server.once("listening", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    cutAt: (portalId: string, bytes: number) => portals.set(portalId, { cutAt: bytes, asked: 0 }),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const options = (clock: Clock) => ({
  ...credentials,
  limits: { loginIntervalMsMin: 0, getTimeoutMs: GET_TIMEOUT_MS },
  ports: { clock, random: { next: () => 0, id: randomUUID } },
});

/** The three items, and then nothing but the end of the test. */
async function readThree(
  client: XrtcClient,
  portalId: string,
): Promise<{ readonly payloads: readonly string[]; readonly gaps: readonly Gap[] }> {
  const gaps: Gap[] = [];
  await using subscription = client.subscribe({
    portals: [portalId],
    start: "all",
    onGap: (gap) => gaps.push(gap),
  });
  const payloads: string[] = [];
  for await (const { payload } of subscription) {
    payloads.push(payload);
    if (payload === PAYLOADS.at(-1)) break;
  }
  return { payloads, gaps };
}

describe("N7: a stream of three items that is cut at every byte", function () {
  this.timeout(60_000);

  for (const numbered of [true, false]) {
    const service = numbered ? "a service that numbers its items" : "one that does not";
    // Where nothing is numbered, a clean end between two lines cannot be told from the end of a turn.
    for (const how of numbered ? (["rst", "clean"] as const) : (["rst", "fin"] as const)) {
      it(`brings each item once and in order: ${how}, ${service}`, async () => {
        await using raw = await cuttingService(how, { numbered });
        const clock = scaledClock(20);
        const read = async (at: number): Promise<void> => {
          raw.cutAt(`p${at}`, at);
          await using client = new XrtcClient({ ...options(clock), baseUrl: raw.baseUrl });
          const { payloads, gaps } = await readThree(client, `p${at}`);
          assert.deepEqual(payloads, PAYLOADS, `cut at ${at}`);
          // Before anything has come, such a service might as well have ignored what it was asked for.
          const announced = numbered
            ? gaps
            : gaps.filter(({ reason, before }) => reason !== "possible" || before !== undefined);
          assert.deepEqual(announced, [], `cut at ${at}`);
        };
        // A few at a time: a busy machine would not keep the deadlines of all of them, twenty times shortened.
        const cuts = Array.from({ length: BODY.length + 1 }, (_, at) => at);
        while (cuts.length > 0) await Promise.all(cuts.splice(0, 20).map(read));
      });
    }
  }

  for (const how of ["rst", "clean"] as const) {
    it(`brings each item once and in order from the local server: ${how}`, async () => {
      const clock = scaledClock(20);
      await using service = await startService({
        clock,
        limits: { loginIntervalMsMin: 0, lineItemsMax: 1, getTimeoutMs: GET_TIMEOUT_MS },
      });
      await using proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
      const writer = service.client();
      for (const payload of PAYLOADS) await writer.setItems([{ portalId: "p", payload }]);
      for (let afterBytes = 0; afterBytes <= BODY.length + 4; afterBytes += 1) {
        let cut = false;
        proxy.plan = ({ path }) => {
          if (path !== GET || cut) return undefined;
          cut = true;
          return { kind: "cut-response", afterBytes, how };
        };
        // A client each: so many failures of one and the same would be paced by its retry budget.
        await using client = service.client({ ...options(clock), baseUrl: `${proxy.origin}/v1` });
        const { payloads, gaps } = await readThree(client, "p");
        assert.deepEqual({ payloads, gaps }, { payloads: PAYLOADS, gaps: [] }, `${afterBytes}`);
        assert.ok(cut);
      }
    });
  }
});
