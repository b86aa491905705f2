import { strict as assert } from "node:assert";
import { CASES } from "./cases/index.js";
import type { Started } from "./local-target.js";
import { Run } from "./run.js";

export interface SuiteOptions {
  /** Starts the server under test. */
  start(): Promise<Started>;
  /** Cases that this kind of server is not asked: none is left out without a word. */
  readonly notAsked?: Readonly<Record<string, string>>;
  /** Leaves the suite out where it cannot run. */
  before?(context: Mocha.Context): void;
}

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
      if (asked in (options.notAsked ?? {})) continue;
      it(asked, async () => {
        const result = await run?.result(asked);
        if (result?.kind === "failed") throw result.error;
        assert.deepEqual(result, { kind: "passed" });
      });
    }

    it(`is asked everything else but ${Object.keys(options.notAsked ?? {}).length} cases`, async () => {
      const notAsked: Record<string, string> = {};
      for (const { name: asked } of CASES) {
        const result = await run?.result(asked);
        if (result?.kind === "not asked") notAsked[asked] = result.why;
      }
      assert.deepEqual(notAsked, options.notAsked ?? {});
    });
  });
}
