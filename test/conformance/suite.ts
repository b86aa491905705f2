import { strict as assert } from "node:assert";
import { CASES } from "./cases/index.js";
import type { Started } from "./local-target.js";
import { type Result, Run } from "./run.js";

export interface SuiteOptions {
  /** What is asked, at the beginning of a sentence. */
  readonly name: string;
  /** Starts the server under test. */
  start(): Promise<Started>;
  /** Cases that this kind of server is not asked, and why: none is left out without a word. */
  readonly notAsked: Readonly<Record<string, string>>;
  /** Leaves the suite out where it cannot run. */
  needs?(context: Mocha.Context): void;
}

/** What a server with the preset `local` is not asked. */
export const LOCAL_NOT_ASKED: Readonly<Record<string, string>> = {
  "shows nothing of extensions that it does not offer": "the server offers extensions",
};

const withoutIt = (name: string): string => `the server does not offer ${name}`;

/** What a server with the preset `hosted` is not asked. */
export const HOSTED_NOT_ASKED: Readonly<Record<string, string>> = {
  "numbers the items of a portal from 1 without holes": withoutIt("seq"),
  "names the epoch of its numbers at each login": withoutIt("seq"),
  "stores a set once whose key and body come again, and answers as before":
    withoutIt("idempotency"),
  "refuses a known key with another body": withoutIt("idempotency"),
  "applies numbered sets in the order of their numbers": withoutIt("order"),
  "turns a numbered set away whose predecessors do not come, and takes it later":
    withoutIt("order"),
};

/** The conformance suite as mocha tests: all cases of all servers are asked at once, and each is a test. */
export function describeConformance(title: string, servers: readonly SuiteOptions[]): void {
  describe(title, function () {
    this.timeout(60_000);
    const asked = new Map<string, { readonly started: Started; readonly run: Run }>();

    before(async function () {
      for (const { needs } of servers) needs?.(this);
      // Most of their time is spent on waiting.
      const starting = servers.map(async ({ name, start }) => {
        const started = await start();
        asked.set(name, { started, run: new Run(started.target) });
      });
      // What did start is closed when something else did not.
      const failed = (await Promise.allSettled(starting)).find(
        ({ status }) => status === "rejected",
      );
      if (failed?.status === "rejected") throw failed.reason;
    });

    after(async () => {
      for (const { run, started } of asked.values()) {
        await run.close();
        await started.close();
      }
    });

    for (const { name, notAsked } of servers) {
      describe(`${name}, an XRTC server that`, () => {
        describeCases(notAsked, async (each) => asked.get(name)?.run.result(each));
      });
    }
  });
}

function describeCases(
  notAsked: Readonly<Record<string, string>>,
  resultOf: (name: string) => Promise<Result | undefined>,
): void {
  for (const { name } of CASES) {
    if (name in notAsked) continue;
    it(name, async () => {
      const result = await resultOf(name);
      if (result?.kind === "failed") throw result.error;
      assert.deepEqual(result, { kind: "passed" });
    });
  }

  const count = Object.keys(notAsked).length;
  it(`is asked everything else but ${count} that it could not answer`, async () => {
    const left: Record<string, string> = {};
    for (const { name } of CASES) {
      const result = await resultOf(name);
      if (result?.kind === "not asked") left[name] = result.why;
    }
    assert.deepEqual(left, notAsked);
  });
}
