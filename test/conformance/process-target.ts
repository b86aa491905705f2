/** Several server processes on one Redis, behind a proxy that takes turns. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { RedisServer } from "../support/redis.js";
import { Codes, type Started, targetOf } from "./local-target.js";
import { RoundRobinProxy } from "./round-robin.js";
import type { ProcessMessage } from "./server-process.js";

const START_MS_MAX = 30_000;

interface ServerProcess {
  readonly child: ChildProcess;
  readonly plainPort: number;
  readonly hastyPort: number;
}

const portOf = (url: string): number => Number(new URL(url).port);

async function startProcess(engine: string, codes: Codes): Promise<ServerProcess> {
  const child = fork(join(__dirname, "server-process.ts"), [engine, "conformance"], {
    execArgv: ["--import", "tsx"],
  });
  child.on("message", (message: ProcessMessage) => {
    if (message.kind === "code") codes.heard(message);
  });
  const signal = AbortSignal.timeout(START_MS_MAX);
  const ended = once(child, "exit", { signal }).then(() => {
    throw new Error("a server process ended before it listened");
  });
  const told = new Promise<{ plain: string; hasty: string }>((resolve) => {
    child.on("message", (message: ProcessMessage) => {
      if (message.kind === "listening") resolve(message);
    });
  });
  const { plain, hasty } = await Promise.race([told, ended]);
  return { child, plainPort: portOf(plain), hastyPort: portOf(hasty) };
}

async function endProcess({ child }: ServerProcess): Promise<void> {
  const gone = once(child, "exit");
  child.disconnect();
  await gone;
}

export interface StartedProcesses extends Started {
  /** Requests that each process got. */
  readonly counts: readonly number[];
}

/** Starts so many processes. */
export async function startProcesses(count: number): Promise<StartedProcesses> {
  const redis = await RedisServer.start();
  const codes = new Codes();
  const processes = await Promise.all(
    Array.from({ length: count }, () => startProcess(redis.url, codes)),
  );
  const plain = await RoundRobinProxy.start(processes.map(({ plainPort }) => plainPort));
  const hasty = await RoundRobinProxy.start(processes.map(({ hastyPort }) => hastyPort));
  const urls = { plain: plain.baseUrl, hasty: hasty.baseUrl };
  return {
    target: targetOf(`${count} processes`, "local", { ...urls, codes }),
    get counts() {
      return plain.counts.map((each, at) => each + (hasty.counts[at] ?? 0));
    },
    async close() {
      await plain[Symbol.asyncDispose]();
      await hasty[Symbol.asyncDispose]();
      await Promise.all(processes.map(endProcess));
      await redis[Symbol.asyncDispose]();
    },
  };
}
