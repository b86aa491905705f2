import assert from "node:assert/strict";
import { Abort, type Signal } from "../../src/primitives/signal.js";
import type { PostRequest, Transport, TransportResponse } from "../../src/transport/transport.js";
import { connected, MINUTE, SECOND } from "./rows-world.js";

type Direction = "up" | "down" | "both";

/** Ends only with the exchange itself. */
const silence = (signal: Signal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** Connections that swallow what is sent, without an end and without an error. New ones are sound. */
class BlackHole implements Transport {
  /** Exchanges in the hole whose connection is still open. */
  held = 0;
  /** Exchanges that ever were in it. */
  swallowed = 0;
  readonly #network: Transport;
  readonly #directionOf: (request: PostRequest) => Direction | undefined;
  #streamsAreDead = new Abort();

  constructor(network: Transport, directionOf: (request: PostRequest) => Direction | undefined) {
    this.#network = network;
    this.#directionOf = directionOf;
  }

  /** Everything that is open now falls silent. */
  swallowStreams(): void {
    this.#streamsAreDead.abort(new Error("silence"));
    this.#streamsAreDead = new Abort();
  }

  async post(request: PostRequest): Promise<TransportResponse> {
    const direction = this.#directionOf(request);
    if (direction === undefined) {
      const response = await this.#network.post(request);
      const dead = this.#streamsAreDead;
      return { ...response, body: this.#through(response, dead, request.signal) };
    }
    if (direction === "down") void this.#network.post(request).catch(() => undefined);
    return this.#hold(request.signal);
  }

  close(): Promise<void> {
    return this.#network.close();
  }

  async *#through(
    { body }: TransportResponse,
    dead: Signal,
    signal: Signal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body) {
      if (dead.aborted) await this.#hold(signal);
      yield chunk;
    }
    if (dead.aborted) await this.#hold(signal);
  }

  async #hold(signal: Signal): Promise<never> {
    this.held += 1;
    this.swallowed += 1;
    try {
      return await silence(signal);
    } finally {
      this.held -= 1;
    }
  }
}

/** A client and a server with a hole between them that can be dug. */
function withHole(direction: Direction) {
  let hole: BlackHole | undefined;
  let next: string | undefined;
  const world = connected({}, (network) => {
    hole = new BlackHole(network, ({ url }) => {
      if (next === undefined || !url.endsWith(next)) return undefined;
      next = undefined;
      return direction;
    });
    return hole;
  });
  assert(hole !== undefined);
  /** The next call of that kind is swallowed. */
  const dig = (call: "login" | "set" | "get"): void => {
    next = call;
  };
  return { ...world, hole, dig };
}

describe("N9: a black hole", () => {
  const bound = 13 * SECOND;

  for (const call of ["login", "set", "get"] as const) {
    for (const direction of ["up", "down", "both"] as const) {
      it(`(${direction}) that swallows a ${call} ends at a deadline, with its connection, and all is ready within 13 s`, async () => {
        const world = withHole(direction);
        if (call !== "login") {
          world.read();
          await world.run(SECOND);
        }
        world.dig(call);
        if (call === "login") world.read();
        // The next turn of the stream begins when the present one is over.
        if (call === "get") await world.clock.runUntil(MINUTE, () => world.hole.held === 1);
        const since = world.clock.now;
        let result: object | undefined;
        const setting = world.client.setItems([{ portalId: "p", payload: "x" }]);
        void setting.then((answer) => (result = answer));
        const isReady = (): boolean => result !== undefined && world.got.length > 0;
        assert(await world.clock.runUntil(since + bound, isReady), "not ready");
        assert.deepEqual([world.hole.swallowed, world.hole.held], [1, 0]);
        await world.run(bound);
        assert.equal(world.client.status.value.kind, "connected");
        assert.deepEqual(world.got, ["x"]);
        await world.close();
      });
    }
  }

  it("that opens during a stream ends at a deadline, with its connection, and all is ready within 13 s", async () => {
    const world = withHole("both");
    world.read();
    await world.run(SECOND);
    await world.set("before");
    world.hole.swallowStreams();
    const since = world.clock.now;
    await world.set("after");
    assert(await world.clock.runUntil(since + bound, () => world.got.length === 2), "not ready");
    assert.deepEqual([world.hole.swallowed, world.hole.held], [1, 0]);
    await world.run(bound);
    assert.deepEqual(world.got, ["before", "after"]);
    await world.close();
  });
});
