#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Cancel, systemClock } from "../primitives/clock.js";
import { EXIT, runServerCommand } from "./command/command.js";

/** Milliseconds from the signal to the end of the process, whatever still holds it up. */
const END_MS_MAX = 2_800;

const stop = new AbortController();
let cancelDeadline: Cancel = () => {};
const end = (): void => {
  if (stop.signal.aborted) return;
  cancelDeadline = systemClock.schedule(END_MS_MAX, () => process.exit(EXIT.ok));
  stop.abort();
};
process.once("SIGINT", end);
process.once("SIGTERM", end);

let reload: () => void = () => {};
// A terminal that closes ends what runs in it; a service is asked to read its files again.
if (process.stdin.isTTY) process.once("SIGHUP", end);
else process.on("SIGHUP", () => reload());

// Nobody reads on: the server serves on, and there is nobody to tell.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

void main();

async function main(): Promise<void> {
  try {
    process.exitCode = await runServerCommand(process.argv.slice(2), {
      environment: process.env,
      version: packageVersion(__dirname),
      stop: stop.signal,
      onReload: (callback) => (reload = callback),
      stdout: (text) => process.stdout.write(text),
      stderr: (text) => process.stderr.write(text),
    });
  } catch (error) {
    console.error(error);
    process.exitCode = EXIT.failed;
  } finally {
    cancelDeadline();
  }
}

/** The sources and the build lie at different depths below the package. */
function packageVersion(folder: string): string {
  const file = join(folder, "package.json");
  if (existsSync(file))
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  return packageVersion(dirname(folder));
}
