import { appendFileSync } from "node:fs";
import { Runner, reporters, type MochaOptions, type Test } from "mocha";

/** How long in ms the process may take to end after the last test. What still holds it then was left open. */
const LINGER_MS_MAX = 15_000;

/**
 * Mocha's Spec reporter with three more words: what was left out, what was left open, and the counts in one last line
 * that a machine can read: `N passed, N failed, N skipped`.
 *
 * Where the environment names a file in `TEST_TALLY`, the line is appended to it too, so that several runs can be summed.
 */
export default class CountingReporter extends reporters.Spec {
  readonly #leftOut: string[] = [];

  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    runner.on(Runner.constants.EVENT_TEST_PENDING, (test: Test) => {
      this.#leftOut.push(test.fullTitle());
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => this.#close());
  }

  #close(): void {
    const { passes, failures, pending } = this.stats;
    if (this.#leftOut.length > 0) {
      console.log(`Left out:\n${this.#leftOut.map((title) => `  - ${title}`).join("\n")}\n`);
    }
    console.log(`Node.js ${process.version}, ${process.env["NODE_RED_PKG"] ?? "node-red"}`);
    let failed = failures;
    const watch = setTimeout(() => {
      // The watch holds nothing itself, so that it fires proves that something else does.
      const held = process.getActiveResourcesInfo().join(", ");
      console.log(`\nA test left something open: ${held}`);
      failed += 1;
      // Registered last, because mocha sets the exit code of its own count at exit.
      process.once("exit", () => {
        process.exitCode = 1;
      });
      process.exit();
    }, LINGER_MS_MAX).unref();
    process.once("exit", () => {
      clearTimeout(watch);
      const line = `${passes} passed, ${failed} failed, ${pending} skipped`;
      console.log(line);
      const tally = process.env["TEST_TALLY"];
      if (tally !== undefined) appendFileSync(tally, `${line}\n`);
    });
  }
}
