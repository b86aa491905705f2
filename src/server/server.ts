import { XrtcError } from "../errors.js";
import type { Limits, LimitsPreset } from "../protocol/limits.js";
import { API_PREFIX } from "../protocol/paths.js";
import { isWildcard } from "./address.js";
import { ServerCore } from "./core.js";
import { Listener } from "./http/listener.js";
import { resolveOptions, type ServerSettings, type XrtcServerOptions } from "./options.js";
import type { ServerStats } from "./stats.js";
import { checkTls, type XrtcServerTls } from "./tls.js";

/**
 * A local XRTC server.
 *
 * @example
 * ```ts
 * const server = new XrtcServer({ port: 0, accounts: [{ accountId, apiKeys: [apiKey] }] });
 * const baseUrl = await server.listen();
 * // …
 * await server.close();
 * ```
 */
export class XrtcServer implements AsyncDisposable {
  readonly #settings: ServerSettings;
  readonly #core: ServerCore;
  readonly #listener: Listener;
  #listening: Promise<string> | undefined;
  #closing: Promise<void> | undefined;
  #url: string | undefined;

  /**
   * Opens nothing yet.
   *
   * @throws XrtcError XRTC_OPTIONS when an option is misspelt or out of its range; XRTC_SERVER_INSECURE when the host
   *   is not this machine alone and `allowInsecure` is not set, or a sample account would be served there
   */
  constructor(options: XrtcServerOptions) {
    this.#settings = resolveOptions(options);
    if (this.#settings.engine.kind !== "memory") {
      throw new XrtcError("XRTC_ENGINE_UNAVAILABLE", "this server has no engine in Redis yet");
    }
    this.#core = new ServerCore(this.#settings);
    this.#listener = new Listener({
      host: this.#settings.host,
      port: this.#settings.port,
      bounds: this.#settings.bounds,
      requestBytesMax: this.#settings.limits.requestBytesMax,
      tls: this.#settings.tls,
      handle: (request, reply) => this.#core.handle(request, reply),
    });
  }

  /**
   * Listens. Calling it again gives the same answer.
   *
   * @returns the base URL, such as `http://127.0.0.1:8480/v1`
   * @throws XrtcError XRTC_SERVER_ADDRESS when the address cannot be had; XRTC_CLOSED after `close()`
   */
  listen(): Promise<string> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  /**
   * Base URL.
   *
   * @throws XrtcError XRTC_CLOSED while the server does not listen: an empty URL would send a client elsewhere
   */
  get url(): string {
    if (this.#url === undefined) throw closedError();
    return this.#url;
  }

  get preset(): LimitsPreset {
    return this.#settings.preset;
  }

  get limits(): Limits {
    return this.#settings.limits;
  }

  /** How well acknowledged items are kept. */
  get durability(): string {
    return this.#core.durability;
  }

  /** Counts since the start, and what is there now. */
  get stats(): ServerStats {
    return { ...this.#core.stats, sockets: this.#listener.socketCount };
  }

  /**
   * Proves itself with another certificate to whoever connects from now on; open connections keep the former one.
   *
   * @throws XrtcError XRTC_OPTIONS when the certificate cannot be used, or the server was made without TLS
   */
  renewTls(tls: XrtcServerTls): void {
    if (this.#settings.tls === undefined) {
      throw new XrtcError("XRTC_OPTIONS", "tls: this server was made without it");
    }
    checkTls(tls);
    this.#listener.renewTls(tls);
  }

  /** Takes no new work, ends open answers cleanly, and is closed within 3 s whatever its clients do. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<string> {
    const port = await this.#listener.listen();
    const { host } = this.#settings;
    const reachable = isWildcard(host) ? "127.0.0.1" : host;
    const name = reachable.includes(":") ? `[${reachable}]` : reachable;
    const scheme = this.#settings.tls === undefined ? "http" : "https";
    this.#url = `${scheme}://${name}:${port}${API_PREFIX}`;
    return this.#url;
  }

  async #close(): Promise<void> {
    // A server that is just about to listen is closed once it does; why it failed to is its caller's to hear.
    await this.#listening?.catch(() => undefined);
    this.#url = undefined;
    this.#listener.stop();
    this.#core.close();
    await this.#listener.closed();
  }
}

const closedError = (): XrtcError => new XrtcError("XRTC_CLOSED", "the server does not listen");
