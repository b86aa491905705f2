import { ResponseBody } from "../../src/transport/response-body.js";
import type { PostRequest, Transport, TransportResponse } from "../../src/transport/transport.js";
import type { Signal } from "../../src/primitives/signal.js";

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  /** The body in pieces; left out, the body stays open. */
  readonly body?: readonly (string | Uint8Array)[];
  /** In place of a normal end of the body. */
  readonly cut?: Error;
}

export type Script = (
  request: PostRequest,
  index: number,
) => Answer | Error | Promise<Answer | Error> | undefined;

/** A transport whose answers a test writes. What the script leaves unanswered hangs until it is aborted. */
export class ScriptedTransport implements Transport {
  readonly requests: PostRequest[] = [];
  readonly #script: Script;
  closed = false;

  constructor(script: Script) {
    this.#script = script;
  }

  /** How many requests went to a path that ends like this. */
  count(pathEnd: string): number {
    return this.requests.filter(({ url }) => url.endsWith(pathEnd)).length;
  }

  async post(request: PostRequest): Promise<TransportResponse> {
    const index = this.requests.length;
    this.requests.push(request);
    const answer = await this.#script(request, index);
    request.signal.throwIfAborted();
    if (answer instanceof Error) throw answer;
    if (answer === undefined) return hang(request.signal);
    return respond(answer, request.signal);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

const nothing = (): void => undefined;

function respond(answer: Answer, signal: Signal): TransportResponse {
  const body = new ResponseBody({ pause: nothing, resume: nothing, abandon: nothing });
  for (const piece of answer.body ?? []) body.push(Buffer.from(piece));
  if (answer.body !== undefined || answer.cut !== undefined) body.end(answer.cut);
  signal.addEventListener("abort", () => body.end(signal.reason as Error), { once: true });
  return {
    status: answer.status ?? 200,
    header: (name) => answer.headers?.[name],
    setCookies: answer.cookies ?? [],
    body,
    discard: () => body.discard(),
  };
}

const hang = (signal: Signal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

export const LOGIN_ANSWER: Answer = {
  body: [JSON.stringify({ servertimestamp: 1_700_000_000_000 })],
  cookies: ["JSESSIONID=one; Path=/v1; HttpOnly", "AWSALBAPP-0=a; Path=/"],
};

export const errorAnswer = (
  errorgroup: number,
  errorcode: number,
  errormessage: string,
): Answer => ({
  status: 400,
  body: [JSON.stringify({ error: { errorgroup, errorcode, errormessage } })],
});
