import { strict as assert } from "node:assert";
import { connect } from "node:net";
import type { XrtcServer } from "../../../src/server/index.js";
import { type Stage, portOf } from "../server-raw.js";
import { HIDDEN, post, type RawForm, SESSION, setBody } from "./form.js";

/** Long after the server's own patience is over. */
const PATIENCE_MS = 20_000;
const PROBE = "PROBE";
/** A list of all portals begins with a later one. */
const PROBE_ANSWER = /\{"items":\[(?:\{"portalid":"PROBE",[^}]*\},?)+\]\}\n$/;

/** What came back for a form and, unless it was alone, for the good request behind it. */
export interface Outcome {
  readonly statuses: readonly number[];
  /** Whether the good request was answered, as the last one. */
  readonly isProbeAnswered: boolean;
  readonly isClosed: boolean;
}

/** A session whose id goes into the forms, and a portal that the good request asks for. */
export async function prepare(stage: Stage): Promise<string> {
  const client = await stage.client();
  const cookie = await client.login();
  for (const portalid of [PROBE, "FORM"]) {
    client.received = "";
    client.post("/item/set", setBody(portalid), cookie);
    await client.until(/"servertimestamp":\d+\}$/);
  }
  const [, id = ""] = /=(\w+)$/.exec(cookie) ?? [];
  client.destroy();
  return id;
}

/** A good request, whose answer cannot be mistaken for another. It moves no position. */
const probe = post("/item/get", `{"portals":[{"portalid":"${PROBE}","servertimestamp":1}]}`);

/** Sends a form over a socket of its own. */
export function send(server: XrtcServer, form: RawForm, session: string): Promise<Outcome> {
  const text = form.isAlone === true ? form.bytes : form.bytes + probe;
  const bytes = Buffer.from(text.replaceAll(SESSION, session), "latin1");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: portOf(server) });
    let received = "";
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${form.name}: no end, after ${JSON.stringify(received)}`));
    }, PATIENCE_MS);
    const finish = (isClosed: boolean): void => {
      clearTimeout(deadline);
      socket.destroy();
      try {
        resolve(outcomeOf(received, isClosed, form));
      } catch (error) {
        reject(error);
      }
    };
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (PROBE_ANSWER.test(received.slice(-400))) finish(false);
    });
    // A reset instead of an end: what came before it counts.
    socket.on("error", () => {});
    socket.once("close", () => finish(true));
    socket.write(bytes);
  });
}

function outcomeOf(received: string, isClosed: boolean, form: RawForm): Outcome {
  const answers = answersOf(received, form);
  const isProbeAnswered = PROBE_ANSWER.test(answers.at(-1)?.body ?? "");
  const own = isProbeAnswered ? answers.slice(0, -1) : answers;
  return { statuses: own.map(({ status }) => status), isProbeAnswered, isClosed };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const HEAD = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[!#$%&'*+\-.^_`|~\w]+: [^\r\n]*\r\n)*)\r\n/;

/** Takes what came apart, with nothing left over. */
function answersOf(received: string, form: RawForm): Answer[] {
  const answers: Answer[] = [];
  for (let rest = received; rest !== "";) {
    const head = HEAD.exec(rest);
    // Not assert.ok: its message would be made each time, out of all that is left.
    if (head === null) throw new Error(`${form.name}: not an answer: ${JSON.stringify(rest)}`);
    rest = rest.slice(head[0].length);
    const [, status, headers = ""] = head;
    const isBare = status === "100" || (form.isHead === true && answers.length === 0);
    const body = isBare ? "" : bodyOf(rest, headers);
    rest = rest.slice(body.length);
    answers.push({ status: Number(status), body });
  }
  return answers;
}

function bodyOf(rest: string, headers: string): string {
  const length = /^content-length: (\d+)\r$/im.exec(headers)?.[1];
  if (length !== undefined) {
    if (rest.length < Number(length)) throw new Error(`an answer is cut: ${JSON.stringify(rest)}`);
    return rest.slice(0, Number(length));
  }
  if (!/^transfer-encoding: chunked\r$/im.test(headers)) return rest;
  const end = rest.indexOf("0\r\n\r\n");
  if (end === -1) throw new Error(`an answer is cut: ${JSON.stringify(rest)}`);
  return rest.slice(0, end + 5);
}

/** Fails when a set took effect that no answer spoke of. */
export async function assertNothingHidden(stage: Stage, session: string): Promise<void> {
  const client = await stage.client();
  client.post("/item/get", '{"portals":[]}', `Cookie: JSESSIONID=${session}`);
  const [list] = await client.until(/\{"items":.*\}\n$/s);
  assert.equal(list.includes(HIDDEN), false, list);
  client.destroy();
}
