/** HTTP as a stranger would speak it: no code of this project's client stands between a case and the server. */

import { strict as assert } from "node:assert";
import * as http from "node:http";
import * as https from "node:https";

/** Milliseconds after which an exchange that goes on is given up, beyond the time that a get stays open. */
const PATIENCE_MS = 15_000;

/** Requests that may still be made. */
export class Budget {
  #used = 0;

  constructor(readonly requestsMax: number) {}

  get used(): number {
    return this.#used;
  }

  spend(): void {
    assert.ok(this.#used < this.requestsMax, `the ${this.requestsMax} requests are used up`);
    this.#used += 1;
  }
}

/** Spaces requests so that no second sees more than its share. */
export class Pace {
  readonly #spacingMs: number;
  #next = 0;

  constructor(requestsPerSecond: number) {
    // Half of what is allowed: one-second windows of two clocks do not coincide.
    this.#spacingMs = 2_000 / requestsPerSecond;
  }

  async turn(): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#spacingMs;
    if (at - now >= 1) await pause(at - now);
  }
}

/** Waits: time itself is what some clauses are about. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export type Headers = Readonly<Record<string, string>>;

export interface WireRequest {
  readonly method?: string;
  readonly headers?: Headers;
  /** The address to come from, where the machine has several. */
  readonly localAddress?: string | undefined;
  /** Whether the request is made at once, whatever the pace. */
  readonly isUnpaced?: boolean;
}

/** One answer while it comes. */
export class Exchange {
  readonly ended: Promise<void>;
  #text = "";
  #isOver = false;
  #wake: (() => void)[] = [];

  constructor(readonly response: http.IncomingMessage) {
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      this.#text += text;
      this.#woken();
    });
    this.ended = new Promise((resolve, reject) => {
      response.once("end", resolve);
      response.once("error", reject);
      response.once("close", () => reject(new Error("the answer was cut off")));
    });
    this.ended.then(this.#over, this.#over);
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  get text(): string {
    return this.#text;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  header(name: string): string | undefined {
    return this.response.headers[name]?.toString();
  }

  /** The lines that are whole by now. */
  get lines(): string[] {
    return this.#text.split("\n").slice(0, -1);
  }

  /** Resolves when so many lines are there; fails when the answer ends before. */
  async until(lineCount: number): Promise<void> {
    while (this.lines.length < lineCount) {
      assert.ok(!this.#isOver, `the answer ended after ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
  }

  readonly #over = (): void => {
    this.#isOver = true;
    this.#woken();
  };

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly document: Readonly<Record<string, unknown>>;
}

/** Connections to one server. */
export class Wire {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #deadlineMs: number;
  readonly #budget: Budget;
  readonly #pace: Pace;

  constructor(
    baseUrl: string,
    options: { readonly getTimeoutMs: number; readonly budget: Budget; readonly pace: Pace },
  ) {
    this.#url = new URL(baseUrl);
    const agentOptions = { keepAlive: true, maxSockets: 40 };
    this.#agent = this.isSecure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
    this.#deadlineMs = options.getTimeoutMs + PATIENCE_MS;
    this.#budget = options.budget;
    this.#pace = options.pace;
  }

  get isSecure(): boolean {
    return this.#url.protocol === "https:";
  }

  /** Sends a request. @returns the answer as soon as its head is there */
  async open(path: string, body: string, request: WireRequest = {}): Promise<Exchange> {
    this.#budget.spend();
    if (request.isUnpaced !== true) await this.#pace.turn();
    const { method = "POST", headers = {}, localAddress } = request;
    const url = `${this.#url.href.replace(/\/$/, "")}${path}`;
    return new Promise((resolve, reject) => {
      const options: https.RequestOptions = {
        method,
        agent: this.#agent,
        headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
        ...(localAddress === undefined ? {} : { localAddress }),
      };
      const arrived = (): void => clearTimeout(deadline);
      const sent = (this.isSecure ? https : http).request(url, options, (response) => {
        const exchange = new Exchange(response);
        resolve(exchange);
        exchange.ended.then(arrived, arrived);
      });
      const deadline = setTimeout(() => {
        sent.destroy(new Error(`no end of the answer to ${path} within ${this.#deadlineMs} ms`));
      }, this.#deadlineMs);
      sent.once("error", (error) => {
        arrived();
        reject(error);
      });
      sent.end(body);
    });
  }

  /** Sends a request. @returns the whole answer */
  async call(path: string, body: string, request: WireRequest = {}): Promise<Answer> {
    const exchange = await this.open(path, body, request);
    await exchange.ended;
    const { status, text, response } = exchange;
    return { status, text, headers: response.headers, document: documentOf(text) };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The text as one JSON object, or an object without members. */
function documentOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === "object" && document !== null && !Array.isArray(document)
      ? (document as Record<string, unknown>)
      : {};
  } catch {
    // HTML of a proxy, or several lines: who needs a document finds its members missing.
    return {};
  }
}
