import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import type { Subscription, XrtcClient } from "../../src/index.js";
import { grownOld, startService } from "../support/service.js";

type Step =
  | { readonly kind: "set"; readonly count: number }
  | { readonly kind: "get"; readonly name: string; readonly mode: "probe" | "watch" }
  | { readonly kind: "getUnnamed" | "subscribe" | "unsubscribe" | "login" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("set"), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("get"),
      name: fc.constantFrom("a", "b"),
      mode: fc.constantFrom("probe", "watch"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("getUnnamed", "subscribe", "unsubscribe", "login"),
    }),
  },
);

/** What each name got, in the order in which it did; items are numbered from 1 on. */
class Run {
  readonly got = new Map<string, number[]>();
  /** The newest item that there was whenever a name asked first of a stream: what is older may be left out. */
  readonly lookedUp: number[] = [];
  readonly #following = new Set<string>();
  readonly #client: XrtcClient;
  readonly #other: XrtcClient;
  #subscription:
    { readonly subscription: Subscription; readonly items: AsyncIterator<unknown> } | undefined;
  #newest = 0;

  constructor(client: XrtcClient, other: XrtcClient) {
    this.#client = client;
    this.#other = other;
  }

  get newest(): number {
    return this.#newest;
  }

  async act(todo: Step): Promise<void> {
    switch (todo.kind) {
      case "set":
        return this.#set(todo.count);
      case "get":
        return this.get(todo.name, todo.mode);
      case "getUnnamed":
        if (this.#subscription !== undefined) return;
        for await (const _item of this.#client.getItems({ portals: ["p"] }));
        return;
      case "subscribe":
        return this.#subscribe();
      case "unsubscribe":
        return this.unsubscribe();
      case "login":
        // Ends the session of the first, where the server has it so.
        return this.#other.open();
      default:
        return todo satisfies never;
    }
  }

  async get(name: string, mode: "probe" | "watch"): Promise<void> {
    const got = this.got.get(name) ?? [];
    this.got.set(name, got);
    if (this.#subscription !== undefined && !this.#following.has(name)) {
      this.#following.add(name);
      this.lookedUp.push(this.#newest);
    }
    const options = { portals: ["p"], schedule: "FIFO", mode, name } as const;
    for await (const { payload } of this.#client.getItems(options)) got.push(Number(payload));
  }

  async unsubscribe(): Promise<void> {
    await this.#subscription?.subscription.close();
    this.#subscription = undefined;
    this.#following.clear();
  }

  async #set(count: number): Promise<void> {
    const payloads = Array.from({ length: count }, (_, index) => String(this.#newest + index + 1));
    await this.#client.setItems(payloads.map((payload) => ({ portalId: "p", payload })));
    this.#newest += count;
    if (this.#subscription === undefined) return;
    for (let index = 0; index < count; index += 1) await this.#subscription.items.next();
  }

  async #subscribe(): Promise<void> {
    if (this.#subscription !== undefined) return;
    await grownOld(40);
    const subscription = this.#client.subscribe({ portals: ["p"] });
    this.#subscription = { subscription, items: subscription[Symbol.asyncIterator]() };
    await subscription.ready();
  }
}

describe("Gets with names, among all that else may read the portal,", function () {
  this.timeout(60_000);

  for (const [where, extensions] of [
    ["where items are numbered", {}],
    ["where they are not", { seq: false, idempotency: false, order: false }],
  ] as const) {
    it(`bring each item once, in order, and the newest in the end, ${where}`, async () => {
      const limits = { getTimeoutMs: 20, loginIntervalMsMin: 0 };
      const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using service = await startService({ extensions, limits });
        const run = new Run(service.client({ limits }), service.client({ limits }));
        for (const each of steps) await run.act(each);
        await run.unsubscribe();
        for (const name of ["a", "b"]) {
          await run.get(name, "probe");
          await run.get(name, "probe");
          const got = run.got.get(name) ?? [];
          got.forEach((number, at) =>
            assert.ok(at === 0 || number > (got[at - 1] ?? 0), got.join()),
          );
          assert.equal(got.at(-1) ?? 0, run.newest);
          // Only a stream may have taken items before somebody asked first, and never the newest of them.
          const missing = Array.from({ length: run.newest }, (_, index) => index + 1).filter(
            (number) => !got.includes(number),
          );
          for (const number of missing) {
            assert.ok(
              run.lookedUp.some((newest) => number < newest),
              `${number} is missing: ${got.join()}`,
            );
          }
        }
      });
      // A get right after the end of a subscription, whose last turn still holds the portal.
      const examples: [Step[]][] = [
        [[{ kind: "subscribe" }, { kind: "unsubscribe" }, { kind: "getUnnamed" }]],
      ];
      await fc.assert(property, { numRuns: 25, examples });
    });
  }
});
