/** What lies between a client and the server: delays, and every way in which an exchange can go wrong. */

import type { ServerReply } from "../../src/server/exchange.js";
import { ResponseBody } from "../../src/transport/response-body.js";
import {
  TransportError,
  type PostRequest,
  type Transport,
  type TransportResponse,
} from "../../src/transport/transport.js";
import type { Post } from "./history.js";
import { CALM, type Fault, type Weather } from "./plan.js";
import { fork, type Seeded } from "./seeded.js";
import type { ClockView } from "./sim-clock.js";

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** The server as the network reaches it. */
export interface Host {
  isUp(): boolean;
  handle(request: PostRequest, cookie: string | undefined, reply: ServerReply): void;
  readonly clock: ClockView;
}

export interface NetworkOptions {
  readonly seed: number;
  readonly client: number;
  readonly clock: ClockView;
  readonly host: Host;
  readonly posts: Post[];
  readonly tell: ((line: string) => void) | undefined;
  readonly naps: () => number;
}

export class SimNetwork implements Transport {
  readonly options: NetworkOptions;
  readonly open = new Set<Exchange>();
  readonly killed = new Set<string>();
  weather: Weather = CALM;
  #count = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  post(request: PostRequest): Promise<TransportResponse> {
    this.#count += 1;
    const { seed, client, clock, posts, naps } = this.options;
    const random = fork(seed + client * 7_919, 1_000 + this.#count);
    const kind = request.url.endsWith("login")
      ? "login"
      : request.url.endsWith("set")
        ? "set"
        : "get";
    const session = /JSESSIONID=(\w+)/.exec(request.headers["cookie"] ?? "")?.[1];
    const post: Post = {
      client,
      kind,
      at: clock.worldNow,
      clientAt: clock.now(),
      session,
      refused: false,
      naps: naps(),
    };
    posts.push(post);
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(this, request, post, random, this.#count);
      exchange.start(this.#fault(random), { resolve, reject });
    });
  }

  close(): Promise<void> {
    for (const exchange of [...this.open]) exchange.breakOff();
    return Promise.resolve();
  }

  #fault(random: Seeded): Fault | undefined {
    let roll = random.next();
    for (const [fault, rate] of this.weather.rates) {
      roll -= rate;
      if (roll < 0) return fault;
    }
    return undefined;
  }
}

const NEWLINE = 0x0a;
const HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>";

interface Settle {
  resolve(response: TransportResponse): void;
  reject(error: Error): void;
}

/** One request and its answer on their way. */
export class Exchange implements ServerReply {
  readonly post: Post;
  readonly #number: number;
  readonly #network: SimNetwork;
  readonly #request: PostRequest;
  readonly #random: Seeded;
  #settle: Settle = { resolve: () => {}, reject: () => {} };
  #fault: Fault | undefined;
  #body: ResponseBody | undefined;
  #over = false;
  #sent = false;
  /** The server's side: it has been told that the client is gone, or has ended. */
  #left = false;
  #served = false;
  #status = 0;
  #headers: Headers = {};
  #headGone = false;
  #lastArrival = 0;
  #passed = 0;
  #cutAt = Infinity;
  #paused = false;
  #held: (() => void)[] = [];
  #heldBytes = 0;
  #onClose: (() => void)[] = [];
  #onDrain: (() => void) | undefined;
  #needsDrain = false;
  #wroteAny = false;

  constructor(
    network: SimNetwork,
    request: PostRequest,
    post: Post,
    random: Seeded,
    number: number,
  ) {
    this.#network = network;
    this.#request = request;
    this.post = post;
    this.#random = random;
    this.#number = number;
  }

  get session(): string | undefined {
    return this.post.session;
  }

  get isStream(): boolean {
    return this.#request.lane === "stream";
  }

  start(fault: Fault | undefined, settle: Settle): void {
    const { signal } = this.#request;
    this.#fault = fault;
    this.#settle = settle;
    this.#tell(this.post.kind, fault);
    if (signal.aborted) {
      this.post.endedAt = this.post.clientAt;
      settle.reject(signal.reason as Error);
      return;
    }
    this.#network.open.add(this);
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (fault === "refuse") this.#in(() => this.#fail("connect", false));
    else if (fault === "hang") this.#later(5_000, () => this.#fail("connect", false));
    else this.#in(() => this.#arriveAtServer());
  }

  /** The connection breaks now. */
  breakOff(): void {
    this.#fail("broken", this.#sent);
  }

  /** The server ends its side as it ends a session: cleanly. */
  endSession(): void {
    if (!this.#served || this.#left) return;
    this.leave();
    if (this.#status === 0) this.head(200, {});
    if (!this.#wroteAny) this.#send(Buffer.from("{}\n"));
    this.#sendEnd();
  }

  // -- the server's end --------------------------------------------------------------------------------------------

  head(status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
    if (status === 401) this.post.expired = true;
  }

  flush(): void {
    if (!this.#left) this.#sendHead();
  }

  write(chunk: Buffer): boolean {
    if (this.#left) return true;
    this.#wroteAny = true;
    this.#send(chunk);
    this.#needsDrain = this.#heldBytes > 4_096;
    return !this.#needsDrain;
  }

  end(lastChunk?: Buffer | string): void {
    if (this.#left) return;
    if (lastChunk !== undefined) {
      const chunk = Buffer.from(lastChunk);
      // A document may end without a newline.
      const isBare = this.#network.options.seed % 2 === 1 && chunk.at(-1) === NEWLINE;
      this.#send(isBare ? chunk.subarray(0, -1) : chunk);
    }
    this.#sendEnd();
    this.leave();
  }

  onClose(callback: () => void): void {
    this.#onClose.push(callback);
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** The exchange is over for the server. */
  leave(): void {
    this.#left = true;
    for (const callback of this.#onClose.splice(0)) callback();
  }

  // -- the way -------------------------------------------------------------------------------------------------------

  #arriveAtServer(): void {
    const { host } = this.#network.options;
    // What was given up on its way may have been sent, and may not.
    if (this.#over && this.#random.chance(0.5)) return;
    if (!host.isUp()) {
      this.#fail("connect", false);
      return;
    }
    this.#sent = true;
    // The server learns only later that nobody waits for this answer.
    if (this.#over) this.#leaveLater();
    switch (this.#fault) {
      case "resetBefore":
        this.#fail("broken", true);
        return;
      case "deny":
        this.#answer(401, '{"error":{"errorgroup":4,"errorcode":10011,"errormessage":"denied"}}');
        return;
      case "throttle":
        this.#throttle();
        return;
      case "html":
        this.#answer(this.#random.pick([500, 502, 503, 504, 408]), this.#random.pick([HTML, ""]));
        return;
      case "captive":
        this.#answer(200, HTML);
        return;
      case "system":
        this.#answer(400, '{"error":{"errorgroup":2,"errorcode":99,"errormessage":"system"}}');
        return;
      case "cutReset":
      case "cutClean":
      case "hole":
      case "garble":
      case "errorLine":
        this.#cutAt = this.#random.chance(0.2) ? 0 : this.#random.int(0, 500);
        if (this.isStream && this.#random.chance(0.4)) this.#cutLater();
        break;
      case undefined:
      case "refuse":
      case "hang":
      case "resetAfter":
      case "swallow":
      case "late":
      case "htmlAfter":
        break;
      default:
        this.#fault satisfies never;
    }
    this.#served = true;
    const killed = this.session !== undefined && this.#network.killed.has(this.session);
    host.handle(this.#request, killed ? undefined : this.#request.headers["cookie"], this);
  }

  #throttle(): void {
    const asked = this.#random.pick(["1", "2", "4", "9", "-1", "soon", ""]);
    if (/^\d/.test(asked)) this.post.retryAfterMs = Number(asked) * 1_000;
    const headers = asked === "" ? {} : { "retry-after": asked };
    this.#answer(this.#random.pick([429, 503]), HTML, headers);
  }

  /** A cut that is set off by time, not by bytes. */
  #cutLater(): void {
    const { clock } = this.#network.options;
    clock.arrive(this.#random.int(1, 4_000), () => this.#cut());
  }

  /** Somebody between us and the server answers in its place. */
  #answer(status: number, body: string, headers: Headers = {}): void {
    this.post.broken = true;
    this.#status = status;
    this.#headers = headers;
    this.#fault = undefined;
    this.#send(Buffer.from(body));
    this.#sendEnd();
  }

  #sendHead(): void {
    if (this.#headGone) return;
    this.#headGone = true;
    if (this.#fault === "resetAfter") this.#in(() => this.#fail("broken", true));
    else if (this.#fault === "htmlAfter") {
      this.#in(() => this.#deliverHead(502, {}));
      this.#in(() => this.#body?.push(Buffer.from(HTML)));
      this.#in(() => this.#finishBody());
    } else if (this.#fault !== "swallow") {
      if (this.#fault === "late") this.#lastArrival = this.#now + this.#random.int(7_000, 20_000);
      const status = this.#status;
      const headers = this.#headers;
      this.#in(() => this.#deliverHead(status, headers));
    }
  }

  get #isMuted(): boolean {
    const fault = this.#fault;
    return fault === "resetAfter" || fault === "swallow" || fault === "htmlAfter";
  }

  #send(chunk: Buffer): void {
    this.#sendHead();
    if (this.#isMuted || chunk.length === 0) return;
    const middle = this.#random.chance(0.2) ? this.#random.int(1, chunk.length) : chunk.length;
    for (const part of [chunk.subarray(0, middle), chunk.subarray(middle)]) {
      if (part.length > 0) this.#in(() => this.#deliver(part));
    }
  }

  #sendEnd(): void {
    this.#sendHead();
    if (!this.#isMuted) this.#in(() => this.#finishBody());
  }

  get #now(): number {
    return this.#network.options.clock.worldNow;
  }

  /** At the client, in order within the exchange. */
  #in(act: () => void): void {
    const way = this.#random.int(1, this.#network.weather.delayMsMax);
    this.#lastArrival = Math.max(this.#lastArrival, this.#now + way);
    this.#later(this.#lastArrival - this.#now, act);
  }

  #later(ms: number, act: () => void): void {
    this.#network.options.clock.arrive(ms, act);
  }

  // -- the client's end --------------------------------------------------------------------------------------------

  readonly #onAbort = (): void => {
    const reason = this.#request.signal.reason as Error;
    this.post.broken = true;
    this.#tell("given up");
    this.#finish();
    if (this.#body === undefined) this.#settle.reject(reason);
    else this.#body.end(reason);
  };

  #deliverHead(status: number, headers: Headers): void {
    if (this.#over) return;
    const post = this.post;
    post.status = status;
    post.answeredAt = this.#network.options.clock.now();
    const body = new ResponseBody({
      pause: () => {
        this.#paused = true;
      },
      resume: () => this.#resume(),
      abandon: () => {
        if (!this.#over) this.post.broken = true;
        this.#finish();
      },
    });
    this.#body = body;
    const cookies = headers["set-cookie"];
    this.#settle.resolve({
      status,
      header: (name) => [headers[name]].flat()[0],
      setCookies: cookies === undefined ? [] : [cookies].flat(),
      body,
      discard: () => body.discard(),
    });
  }

  #deliver(part: Buffer): void {
    if (this.#over || this.#body === undefined || this.#fault === "swallow") return;
    if (this.#paused) {
      this.#heldBytes += part.length;
      this.#held.push(() => this.#deliver(part));
      return;
    }
    const room = this.#cutAt - this.#passed;
    this.#passed += part.length;
    if (part.length <= room) {
      this.#body.push(part);
      return;
    }
    if (room > 0) this.#body.push(part.subarray(0, room));
    this.#cut(part.subarray(Math.max(0, room)));
  }

  #cut(rest: Buffer = Buffer.alloc(0)): void {
    if (this.#over) return;
    this.post.broken = true;
    this.#tell("cut:", this.#fault);
    this.#cutAt = Infinity;
    if (this.#body === undefined) {
      this.#fail("broken", true);
      return;
    }
    switch (this.#fault) {
      case "cutClean":
        // Where a turn is nearly over, nobody could tell a clean cut between two lines from its end.
        if (this.#body === undefined || this.#now - this.post.at > 4_200)
          this.#fail("broken", true);
        else this.#finishBody();
        break;
      case "hole":
        this.#fault = "swallow";
        break;
      case "garble":
        if (rest.length === 0) break;
        this.#body.push(Buffer.concat([Buffer.from([0xff]), rest.subarray(1)]));
        break;
      case "errorLine":
        this.#body.push(
          Buffer.from('\n{"error":{"errorgroup":2,"errorcode":77,"errormessage":"failed"}}\n'),
        );
        this.#finishBody();
        break;
      case undefined:
      default:
        this.#fail("broken", true);
    }
  }

  #resume(): void {
    this.#paused = false;
    const held = this.#held.splice(0);
    this.#heldBytes = 0;
    for (const act of held) act();
    if (!this.#needsDrain || this.#left) return;
    this.#needsDrain = false;
    this.#onDrain?.();
  }

  #finishBody(): void {
    if (this.#over) return;
    if (this.#paused) {
      this.#held.push(() => this.#finishBody());
      return;
    }
    if (this.#fault === "swallow") return;
    this.#tell(this.post.status ?? "-");
    this.#finish();
    this.#body?.end();
  }

  #fail(failure: "connect" | "broken", sent: boolean): void {
    if (this.#over) return;
    this.post.broken = true;
    this.#tell("failed:", failure);
    if (!sent) this.post.refused = true;
    const error = new TransportError(failure, sent, new Error("simulated"));
    this.#finish();
    if (this.#body === undefined) this.#settle.reject(error);
    else this.#body.end(error);
  }

  /** Over for the client; the server learns of it now, later, or when it wants to. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const { naps } = this.#network.options;
    this.post.endedAt = this.#network.options.clock.now();
    this.post.endNaps = naps();
    this.#request.signal.removeEventListener("abort", this.#onAbort);
    this.#network.open.delete(this);
    if (!this.#left && this.#served) this.#leaveLater();
  }

  #leaveLater(): void {
    this.#network.options.host.clock.arrive(this.#random.pick([1, 5, 30, 3_000, 8_000]), () => {
      if (!this.#left) this.leave();
    });
  }

  #tell(...words: readonly (string | number | undefined)[]): void {
    this.#network.options.tell?.(`  ${this.post.client}#${this.#number} ${words.join(" ")}`);
  }
}
