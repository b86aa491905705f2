/** Starts and ends the processes of a measurement; it ends those that it started, and no others. */

import { fork, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds for a process to begin, and for one to end by itself. */
const START_MS_MAX = 10_000;
const END_MS_MAX = 4_000;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Started {
  readonly pid: number;
  /** Resolves with the process's next message. */
  next<T>(msMax: number): Promise<T>;
  /** Asks one of our own processes, and resolves with its answer. */
  ask<T>(question: object, msMax: number): Promise<T>;
  end(): Promise<void>;
}

export type Listening = Started & { readonly port: number };

export interface StartOptions {
  /** Where it leaves a CPU profile when it ends. */
  readonly profileDir?: string | undefined;
  /** Further options for Node.js. */
  readonly nodeOptions?: readonly string[];
}

/** Starts one of the files of the folder `processes`. */
export function start(name: string, given: object, options: StartOptions = {}): Started {
  const { profileDir, nodeOptions = [] } = options;
  const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const child = fork(path.join(__dirname, "processes", `${name}.ts`), [JSON.stringify(given)], {
    execArgv: [...process.execArgv, ...profile, ...nodeOptions],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  track(child);
  return {
    pid: pidOf(child),
    next: (msMax) => nextMessage(child, name, msMax),
    ask: (question, msMax) => {
      const answered = nextMessage<never>(child, name, msMax);
      child.send(question);
      return answered;
    },
    end: () => {
      if (child.connected) child.disconnect();
      return ended(child);
    },
  };
}

/** Starts one that answers with the port on which it listens. */
export async function startListening(
  name: string,
  given: object,
  options: StartOptions = {},
): Promise<Listening> {
  const started = start(name, given, options);
  const { port } = await started.next<{ port: number }>(START_MS_MAX);
  return { ...started, port };
}

/** Whether a program can be started here. */
function isInstalled(name: string, option: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(name, [option], { stdio: "ignore", env: withSystemPath() });
    child.on("error", () => resolve(false));
    child.on("exit", () => resolve(true));
  });
}

export const hasMosquitto = (): Promise<boolean> => isInstalled("mosquitto", "-h");
export const hasRedis = (): Promise<boolean> => isInstalled("redis-server", "--version");

/** Starts mosquitto on a free port of this machine, with a window of 1,000 and a queue without a bound. */
export async function startMosquitto(noDelay: boolean): Promise<Listening> {
  const port = await freePort();
  const folder = newFolder();
  const file = path.join(folder, "mosquitto.conf");
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence false",
    "log_dest none",
    "max_inflight_messages 1000",
    "max_queued_messages 0",
    ...(noDelay ? ["set_tcp_nodelay true"] : []),
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return startProgram("mosquitto", ["-c", file], { port, folder });
}

/** When Redis has what it appends to its file on the disk: never kept there at all, once a second, or each time. */
export type AppendFsync = "none" | "everysec" | "always";

/** Starts a Redis of its own on a free port of this machine; it keeps its file in a folder that goes with it. */
export async function startRedis(appendFsync: AppendFsync): Promise<Listening> {
  const port = await freePort();
  const folder = newFolder();
  const kept = appendFsync === "none" ? ["no"] : ["yes", "--appendfsync", appendFsync];
  const place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
  const options = [...place, "--save", "", "--loglevel", "warning", "--appendonly", ...kept];
  return startProgram("redis-server", options, { port, folder });
}

/** Starts a server that is not ours, and waits until it takes connections. */
async function startProgram(
  name: string,
  given: readonly string[],
  { port, folder }: { readonly port: number; readonly folder: string },
): Promise<Listening> {
  const child = spawn(name, given, { stdio: "ignore", env: withSystemPath() });
  track(child);
  const silent = (): Promise<never> => Promise.reject(new Error(`${name} sends no messages`));
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await reachable(port, name);
  } catch (error) {
    await end();
    throw error;
  }
  return { pid: pidOf(child), port, next: silent, ask: silent, end };
}

const newFolder = (): string => mkdtempSync(path.join(tmpdir(), "xrtc-bench-"));

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("a process could not be started");
  return child.pid;
}

/** Where servers are installed that no ordinary user starts. */
const withSystemPath = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env["PATH"] ?? ""}${path.delimiter}/usr/sbin${path.delimiter}/usr/local/sbin`,
});

function track(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

function nextMessage<T>(child: ChildProcess, name: string, msMax: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
      act();
    };
    const onMessage = (message: unknown): void => {
      const { error } = message as { error?: string };
      settle(() => {
        if (error === undefined) resolve(message as T);
        else reject(new Error(`${name}: ${error}`));
      });
    };
    const onExit = (code: number | null): void =>
      settle(() => reject(new Error(`${name} ended with code ${code}`)));
    const timer = setTimeout(
      () => settle(() => reject(new Error(`${name} did not answer within ${msMax} ms`))),
      msMax,
    );
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS_MAX);
  await exit;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function reachable(port: number, name: string): Promise<void> {
  const until = performance.now() + START_MS_MAX;
  while (performance.now() < until) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return;
    await sleep(20);
  }
  throw new Error(`${name} did not start`);
}
