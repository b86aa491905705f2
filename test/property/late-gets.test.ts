import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import {
  CoreHarness,
  cookiesOf,
  type RecordedReply,
  SessionHarness,
} from "../unit/server/core-harness.js";
import { LateBackend, type Step, settled } from "../support/late-backend.js";

const PORTALS = ["P", "Q", "R"] as const;
const STEPS: readonly Step[] = ["enter", "positions", "read", "move", "set"];

type Command =
  | { readonly kind: "set"; readonly portals: readonly string[] }
  | { readonly kind: "get"; readonly mode: string; readonly portals: readonly string[] }
  | { readonly kind: "hold" | "release"; readonly step: Step }
  | { readonly kind: "pass"; readonly ms: number };

const portals = fc.uniqueArray(fc.constantFrom(...PORTALS), { minLength: 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), portals }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("get" as const),
      mode: fc.constantFrom("probe", "watch", "stream"),
      portals,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("hold" as const, "release" as const),
      step: fc.constantFrom(...STEPS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.constantFrom(1, 5_000),
    }),
  },
);

/** One session with several gets at a time on a backend that answers when it likes. */
class Scene {
  readonly #server: CoreHarness;
  readonly #backend: LateBackend;
  readonly #session: SessionHarness;
  readonly #gets: RecordedReply[] = [];
  readonly #sets: RecordedReply[] = [];
  #count = 0;

  private constructor(server: CoreHarness, backend: LateBackend, login: RecordedReply) {
    this.#server = server;
    this.#backend = backend;
    this.#session = new SessionHarness(server, cookiesOf(login), "127.0.0.1");
  }

  static async open(): Promise<Scene> {
    let backend: LateBackend | undefined;
    const server = new CoreHarness({}, (settings) => (backend = new LateBackend(settings)));
    const login = server.tryLogin();
    await settled();
    return new Scene(server, backend as LateBackend, login);
  }

  async perform(step: Command): Promise<void> {
    if (step.kind === "set") this.#set(step.portals);
    else if (step.kind === "get") this.#get(step.portals, step.mode);
    else if (step.kind === "hold") this.#backend.hold(step.step);
    else if (step.kind === "pass") this.#server.clock.advance(step.ms);
    else await this.#backend.release(step.step);
    await settled();
  }

  /** Everything goes on to its end, and a last get takes what nobody had. */
  async finish(): Promise<void> {
    for (const step of [...STEPS, ...STEPS]) await this.#backend.release(step);
    this.#server.clock.advance(5_000);
    await settled();
    this.#get(PORTALS, "probe");
    await settled();
    const { waitingGets } = this.#server.core.stats;
    await this.#server.core.close();
    assert.deepEqual([waitingGets, this.#server.clock.pending], [0, 0]);
  }

  check(): void {
    for (const set of this.#sets) assert.equal(set.status, 200, set.text);
    const delivered: string[] = [];
    for (const get of this.#gets) {
      assert.ok(get.isEnded && get.status === 200, "each get is answered");
      const items = get.lines.flatMap((line) => line.items ?? []);
      for (const portal of PORTALS) {
        const own = items.filter(({ portalid }) => portalid === portal).map(({ seq = 0 }) => seq);
        assert.deepEqual(
          own,
          own.toSorted((a, b) => a - b),
          "in order",
        );
      }
      delivered.push(...items.map(({ portalid, payload }) => `${portalid} ${payload}`));
    }
    assert.equal(new Set(delivered).size, delivered.length, "nothing twice");
    assert.equal(delivered.length, this.#count, "nothing lost");
  }

  #set(portalids: readonly string[]): void {
    const items = portalids.map((portalid) => ({ portalid, payload: `${(this.#count += 1)}` }));
    this.#sets.push(this.#session.trySet(items));
  }

  #get(portalids: readonly string[], mode: string): void {
    this.#gets.push(this.#session.get(portalids, { mode, schedule: "FIFO" }));
  }
}

describe("gets of one session on a backend that answers later", () => {
  it("deliver each item once and in order between them, whatever waits for what", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const scene = await Scene.open();
        for (const step of commands) await scene.perform(step);
        await scene.finish();
        scene.check();
      }),
      { numRuns: 500 },
    );
  });
});
