import { XrtcError } from "../errors.js";
import type { Limits, LimitsPreset } from "../protocol/limits.js";
import { API_PREFIX } from "../protocol/paths.js";
import { isWildcard } from "./address.js";
import { createBackend } from "./backend/create-backend.js";
import type { Durability } from "./backend/backend.js";
import { ServerCore } from "./core.js";
import { Listener } from "./http/listener.js";
import { resolveOptions, type ServerSettings, type XrtcServerOptions } from "./options.js";
import { NO_STATS, type ServerStats } from "./stats.js";
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
  /** There from the moment when it begins to listen. */
  #core: ServerCore | undefined;
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
    this.#listener = new Listener({
      host: this.#settings.host,
      port: this.#settings.port,
      bounds: this.#settings.bounds,
      requestBytesMax: this.#settings.limits.requestBytesMax,
      tls: this.#settings.tls,
      handle: (request, reply) => this.#core?.handle(request, reply),
    });
  }

  /**
   * Listens. Calling it again gives the same answer.
   *
   * @returns the base URL, such as `http://127.0.0.1:8480/v1`
   * @throws XrtcError XRTC_SERVER_ADDRESS when the address cannot be had; XRTC_ENGINE_UNAVAILABLE when Redis cannot
   *   be reached or its client is not installed; XRTC_OPTIONS when Redis does not keep what `durability` promises;
   *   XRTC_CLOSED after `close()`
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
  get durability(): Durability {
    return this.#settings.engine.durability;
  }

  /** Why it cannot serve just now, in one line without a secret; undefined while it can. */
  get trouble(): string | undefined {
    return this.#core?.trouble;
  }

  /** Counts since the start, and what is there now. */
  get stats(): ServerStats {
    const { socketCount: sockets } = this.#listener;
    return { ...NO_STATS, ...this.#core?.stats, sockets };
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
    const core = await this.#open();
    this.#core = core;
    const port = await this.#listener.listen().catch(async (error: unknown) => {
      await core.close();
      throw error;
    });
    const { host } = this.#settings;
    const reachable = isWildcard(host) ? "127.0.0.1" : host;
    const name = reachable.includes(":") ? `[${reachable}]` : reachable;
    const scheme = this.#settings.tls === undefined ? "http" : "https";
    this.#url = `${scheme}://${name}:${port}${API_PREFIX}`;
    return this.#url;
  }

  async #open(): Promise<ServerCore> {
    const core = new ServerCore(this.#settings, await createBackend(this.#settings));
    try {
      await core.open();
    } catch (error) {
      await core.close();
      throw error;
    }
    return core;
  }

  async #close(): Promise<void> {
    // A server that is just about to listen is closed once it does; why it failed to is its caller's to hear.
    await this.#listening?.catch(() => undefined);
    this.#url = undefined;
    this.#listener.stop();
    this.#core?.end();
    await this.#listener.closed();
    await this.#core?.close();
  }
}

const closedError = (): XrtcError => new XrtcError("XRTC_CLOSED", "the server does not listen");
