#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT, runServerCommand } from "./command/command.js";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

let reload: () => void = () => {};
// A terminal that closes ends what runs in it; a service is asked to read its files again.
if (process.stdin.isTTY) process.once("SIGHUP", () => stop.abort());
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
  }
}

/** The sources and the build lie at different depths below the package. */
function packageVersion(folder: string): string {
  const file = join(folder, "package.json");
  if (existsSync(file))
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  return packageVersion(dirname(folder));
}
