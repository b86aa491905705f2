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
  /** Resolves with the process's next message. */
  next<T>(msMax: number): Promise<T>;
  end(): Promise<void>;
}

/**
 * Starts one of the files beside this one.
 *
 * @param profileDir - where it leaves a CPU profile when it ends
 */
export function start(name: string, given: object, profileDir?: string): Started {
  const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const child = fork(path.join(__dirname, "processes", `${name}.ts`), [JSON.stringify(given)], {
    execArgv: [...process.execArgv, ...profile],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  track(child);
  return {
    next: (msMax) => nextMessage(child, name, msMax),
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
  profileDir?: string,
): Promise<Started & { readonly port: number }> {
  const started = start(name, given, profileDir);
  const { port } = await started.next<{ port: number }>(START_MS_MAX);
  return { ...started, port };
}

/** Whether a mosquitto can be started here. */
export function hasMosquitto(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("mosquitto", ["-h"], { stdio: "ignore", env: withSystemPath() });
    child.on("error", () => resolve(false));
    child.on("exit", () => resolve(true));
  });
}

/** Starts mosquitto on a free port of this machine, with a window of 1,000 and a queue without a bound. */
export async function startMosquitto(noDelay: boolean): Promise<Started & { port: number }> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), "xrtc-bench-"));
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
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore", env: withSystemPath() });
  track(child);
  try {
    await reachable(port);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    port,
    next: () => Promise.reject(new Error("mosquitto sends no messages")),
    end: () => {
      child.kill("SIGTERM");
      return ended(child);
    },
  };
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

async function reachable(port: number): Promise<void> {
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
  throw new Error("mosquitto did not start");
}
