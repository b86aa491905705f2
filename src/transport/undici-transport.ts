import { Agent, type Client, type Dispatcher } from "undici";
import { connectorOf, PROXY_REFUSED } from "./connector.js";
import type { RouteOf, TlsSettings } from "./network.js";
import { Pipeline, type Losable } from "./pipeline.js";
import { ResponseBody } from "./response-body.js";
import {
  TransportError,
  type Lane,
  type PostRequest,
  type Transport,
  type TransportFailure,
  type TransportResponse,
} from "./transport.js";
import type { Signal } from "../primitives/signal.js";

export interface UndiciTransportOptions {
  /** Connections to one origin that commands may use. @defaultValue 50 */
  readonly connectionsMax?: number;
  /** Milliseconds for a connection, its TLS included, to come about. @defaultValue 5000 */
  readonly connectTimeoutMs?: number;
  /**
   * Milliseconds that an idle connection is kept. A session ends after a minute without a request, and so may what
   * stands in front of it. @defaultValue 55000
   */
  readonly keepAliveMs?: number;
  /** Whom to trust and as whom to come. @defaultValue what Node.js trusts */
  readonly tls?: TlsSettings | undefined;
  /** Which addresses are reached through a proxy. @defaultValue none */
  readonly routeOf?: RouteOf | undefined;
}

/** Where a request goes, as undici wants to be told. */
interface Target {
  readonly origin: string;
  readonly path: string;
}

/** Targets that are kept. */
const TARGETS_MAX = 16;
/** Bytes of an ordered answer that nobody wants which are read on: to break it off would lose those behind it. */
const UNWANTED_BYTES_MAX = 65_536;

/**
 * The transport over undici's `dispatch`, the one of its calls that tells when a request starts to be written.
 * Deadlines are the caller's (its signal); undici's own are too coarse for a stream.
 */
export class UndiciTransport implements Transport {
  readonly #commands: Agent;
  readonly #streams: Agent;
  readonly #pipelineOptions: Client.Options;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #targets = new Map<string, Target>();
  #closed: Promise<void> | undefined;

  constructor(options: UndiciTransportOptions = {}) {
    const { connectionsMax = 50, connectTimeoutMs = 5_000, keepAliveMs = 55_000 } = options;
    const { tls, routeOf } = options;
    const common = {
      connect: connectorOf({ timeoutMs: connectTimeoutMs, tls, routeOf }),
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
    };
    this.#commands = new Agent({ ...common, connections: connectionsMax });
    this.#streams = new Agent(common);
    this.#pipelineOptions = common;
  }

  post(request: PostRequest): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) {
        reject(request.signal.reason);
        return;
      }
      const { origin, path } = this.#target(request.url);
      const isOrdered = request.lane === "ordered" && this.#closed === undefined;
      const pipeline = isOrdered ? this.#pipeline(origin) : undefined;
      const exchange = new Exchange(request.signal, pipeline, resolve, reject);
      const options = {
        origin,
        path,
        method: "POST" as const,
        headers: request.headers,
        body: request.body,
        // What undici lets follow before an answer; it is sent again by nobody but the caller.
        idempotent: pipeline !== undefined,
        blocking: false,
      };
      try {
        this.#dispatcher(request.lane, pipeline).dispatch(options, exchange);
      } catch (error) {
        exchange.onResponseError(undefined, error as Error);
      }
    });
  }

  /** A client has three URLs: taking one apart costs more than the rest of the call. */
  #target(url: string): Target {
    const known = this.#targets.get(url);
    if (known !== undefined) return known;
    const { origin, pathname, search } = new URL(url);
    const target = { origin, path: pathname + search };
    if (this.#targets.size >= TARGETS_MAX) this.#targets.clear();
    this.#targets.set(url, target);
    return target;
  }

  #dispatcher(lane: Lane, pipeline: Pipeline | undefined): Dispatcher {
    return pipeline?.client ?? (lane === "stream" ? this.#streams : this.#commands);
  }

  #pipeline(origin: string): Pipeline {
    const known = this.#pipelines.get(origin);
    if (known !== undefined) return known;
    const pipeline = new Pipeline(origin, this.#pipelineOptions);
    this.#pipelines.set(origin, pipeline);
    return pipeline;
  }

  close(): Promise<void> {
    const pipelines = [...this.#pipelines.values()].map(({ client }) => client);
    this.#closed ??= Promise.all(
      [this.#commands, this.#streams, ...pipelines].map((each) => each.destroy()),
    ).then(() => undefined);
    return this.#closed;
  }
}

type Headers = Record<string, string | string[] | undefined>;

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler, Losable {
  readonly #signal: Signal;
  readonly #resolve: (response: TransportResponse) => void;
  readonly #reject: (error: Error) => void;
  readonly #onAbort = (): void => this.#giveUp(this.#signal.reason as Error);
  #controller: Dispatcher.DispatchController | undefined;
  #body: ResponseBody | undefined;
  #finished = false;
  #isUnwanted = false;
  #unwantedBytes = 0;
  /** Where it shares its connection with others. */
  readonly #pipeline: Pipeline | undefined;

  constructor(
    signal: Signal,
    pipeline: Pipeline | undefined,
    resolve: (response: TransportResponse) => void,
    reject: (error: Error) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#pipeline = pipeline;
    pipeline?.open.add(this);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A request that was given up while it waited for a connection is only ended here.
    if (this.#finished) controller.abort(this.#signal.reason as Error);
    else this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
  ): void {
    if (this.#finished || status < 200) return;
    const body = new ResponseBody({
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      abandon: () => this.#abandon(controller),
    });
    this.#body = body;
    const cookies = headers["set-cookie"];
    this.#resolve({
      status,
      header: (name) => [headers[name]].flat()[0],
      setCookies: cookies === undefined ? [] : [cookies].flat(),
      body,
      discard: () => body.discard(),
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
    if (!this.#isUnwanted) return;
    this.#unwantedBytes += chunk.length;
    if (this.#unwantedBytes > UNWANTED_BYTES_MAX) this.#giveUp(givenUp());
  }

  onResponseEnd(): void {
    this.#finish();
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#finished) return;
    this.#finish();
    const failed = new TransportError(failureOf(error), this.#controller !== undefined, error);
    if (this.#body === undefined) this.#reject(failed);
    else this.#body.end(failed);
  }

  /** Its connection is gone; if it was not on it yet, it may still go out on the next. */
  lost(error: Error): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.onResponseError(controller, error);
    controller.abort(error);
  }

  /** Nobody wants the rest of the answer. */
  #abandon(controller: Dispatcher.DispatchController): void {
    if (this.#pipeline === undefined) {
      this.#giveUp(givenUp());
      return;
    }
    this.#isUnwanted = true;
    if (controller.paused) controller.resume();
  }

  #giveUp(reason: Error): void {
    if (this.#finished) return;
    this.#finish();
    if (this.#body === undefined) this.#reject(reason);
    else this.#body.end(reason);
    this.#controller?.abort(reason);
  }

  #finish(): void {
    this.#finished = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#pipeline?.open.delete(this);
  }
}

const givenUp = (): Error => new Error("the rest of the answer was given up");

const CONNECT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  PROXY_REFUSED,
]);

const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH)/;

function failureOf(error: Error): TransportFailure {
  const { code } = error as { code?: unknown };
  // Several addresses of one host are tried in turn; the errors come together, and any of them tells.
  if (error instanceof AggregateError && code === undefined) {
    const first = error.errors[0] as unknown;
    return first instanceof Error ? failureOf(first) : "broken";
  }
  if (typeof code !== "string") return "broken";
  if (CONNECT_CODES.has(code)) return "connect";
  return TLS_CODE.test(code) ? "tls" : "broken";
}
