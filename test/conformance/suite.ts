import { strict as assert } from "node:assert";
import { CASES } from "./cases/index.js";
import type { Started } from "./local-target.js";
import { Run } from "./run.js";

export interface SuiteOptions {
  /** Starts the server under test. */
  start(): Promise<Started>;
  /** Cases that this kind of server is not asked, and why: none is left out without a word. */
  readonly notAsked: Readonly<Record<string, string>>;
  /** Leaves the suite out where it cannot run. */
  before?(context: Mocha.Context): void;
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

/** The conformance suite as mocha tests: all cases are asked at once, and each is a test. */
export function describeConformance(name: string, options: SuiteOptions): void {
  describe(`${name}, an XRTC server that`, function () {
    this.timeout(60_000);
    let started: Started | undefined;
    let run: Run | undefined;

    before(async function () {
      options.before?.(this);
      started = await options.start();
      run = new Run(started.target);
    });

    after(async () => {
      await run?.close();
      await started?.close();
    });

    for (const { name: asked } of CASES) {
      if (asked in options.notAsked) continue;
      it(asked, async () => {
        const result = await run?.result(asked);
        if (result?.kind === "failed") throw result.error;
        assert.deepEqual(result, { kind: "passed" });
      });
    }

    const count = Object.keys(options.notAsked).length;
    it(`is asked everything else but ${count} that it could not answer`, async () => {
      const notAsked: Record<string, string> = {};
      for (const { name: asked } of CASES) {
        const result = await run?.result(asked);
        if (result?.kind === "not asked") notAsked[asked] = result.why;
      }
      assert.deepEqual(notAsked, options.notAsked);
    });
  });
}
