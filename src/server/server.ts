import type { IncomingMessage, ServerResponse } from "node:http";
import { XrtcError } from "../errors.js";
import type { Limits, LimitsPreset } from "../protocol/limits.js";
import { API_PREFIX } from "../protocol/paths.js";
import { isWildcard } from "./address.js";
import { createBackend } from "./backend/create-backend.js";
import type { Durability } from "./backend/backend.js";
import { ServerCore } from "./core.js";
import { Attachment } from "./http/attachment.js";
import { BodyRoom } from "./http/body.js";
import { Listener, type ListenerOptions } from "./http/listener.js";
import {
  checkAccounts,
  resolveOptions,
  type ServerSettings,
  type XrtcServerAccount,
  type XrtcServerOptions,
} from "./options.js";
import { NO_STATS, type ServerStats } from "./stats.js";
import { checkTls, type XrtcServerTls } from "./tls.js";
import { systemError } from "./wire-error.js";
import { sendError } from "./wire-reply.js";

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
  readonly #bodyRoom: BodyRoom;
  /** There from the moment when it begins to listen. */
  #core: ServerCore | undefined;
  readonly #listener: Listener;
  /** For clients in the same process. */
  #local: Listener | undefined;
  #attachment: Attachment | undefined;
  #opening: Promise<ServerCore> | undefined;
  #listening: Promise<string> | undefined;
  #listeningLocally: Promise<string> | undefined;
  #closing: Promise<void> | undefined;
  #onNextRequest: (() => void) | undefined;
  #url: string | undefined;

  /**
   * Opens nothing yet.
   *
   * @throws XrtcError XRTC_OPTIONS when an option is misspelt or out of its range; XRTC_SERVER_INSECURE when the host
   *   is not this machine alone and `allowInsecure` is not set, or a sample account would be served there
   */
  constructor(options: XrtcServerOptions) {
    this.#settings = resolveOptions(options);
    this.#bodyRoom = new BodyRoom(this.#settings.bounds.bodyBytesMax);
    const { host, port, tls } = this.#settings;
    this.#listener = new Listener({ host, port, tls, ...this.#serving() });
  }

  /**
   * Makes ready to serve, without listening: before {@link handler} takes its first request.
   *
   * @throws XrtcError XRTC_ENGINE_UNAVAILABLE, XRTC_OPTIONS and XRTC_CLOSED as `listen` does
   */
  async open(): Promise<void> {
    await this.#open();
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
   * Listens on 127.0.0.1 at any free port in plain HTTP, beside everything else: for clients in the same process, who
   * need neither the certificate nor the login of a web server in front. Calling it again gives the same answer.
   *
   * @returns the base URL
   * @throws XrtcError as `listen` does
   */
  listenLocally(): Promise<string> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    this.#listeningLocally ??= this.#listenLocally();
    return this.#listeningLocally;
  }

  /**
   * Serves behind an HTTP server of somebody else: as its listener for `request`, or mounted in Express under
   * `pathPrefix`. Call {@link open} first. That server's own bounds hold for its sockets and headers; `port` and `tls`
   * have no effect; `host` says which `Host` headers are taken beside `hostNames`: those of this machine, or with
   * `0.0.0.0` any address.
   *
   * @returns a function that takes a request, and answers it with 503 while the server is not open
   */
  handler(): (request: IncomingMessage, response: ServerResponse) => void {
    this.#attachment ??= new Attachment(this.#serving());
    return this.#attachment.handle;
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
    const sockets = this.#listener.socketCount + (this.#local?.socketCount ?? 0);
    return { ...NO_STATS, ...this.#core?.stats, sockets };
  }

  /**
   * Takes other accounts in place of those of its options. A key that is not among them opens nothing any more, and
   * its sessions end; registered accounts stay.
   *
   * @throws XrtcError XRTC_OPTIONS, XRTC_SERVER_INSECURE as the constructor does; XRTC_CLOSED while it does not listen
   */
  async renewAccounts(accounts: readonly XrtcServerAccount[]): Promise<void> {
    checkAccounts(accounts, this.#settings.host);
    if (this.#core === undefined) throw closedError();
    await this.#core.renewAccounts(accounts);
  }

  /**
   * Calls back once, with the next request that comes: for who shows what goes on, and need not look while nothing
   * does. There is one callback; another one takes its place.
   *
   * @returns a function that ends this
   */
  onNextRequest(callback: () => void): () => void {
    this.#onNextRequest = callback;
    return () => {
      if (this.#onNextRequest === callback) this.#onNextRequest = undefined;
    };
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
    await this.#open();
    const port = await this.#listenWith(this.#listener);
    const { host, tls } = this.#settings;
    const reachable = isWildcard(host) ? "127.0.0.1" : host;
    const name = reachable.includes(":") ? `[${reachable}]` : reachable;
    const scheme = tls === undefined ? "http" : "https";
    this.#url = this.#urlAt(`${scheme}://${name}:${port}`);
    return this.#url;
  }

  async #listenLocally(): Promise<string> {
    await this.#open();
    const host = "127.0.0.1";
    this.#local = new Listener({ host, port: 0, tls: undefined, ...this.#serving() });
    return this.#urlAt(`http://${host}:${await this.#listenWith(this.#local)}`);
  }

  /** One that cannot listen leaves nothing open, unless it is reached in another way. */
  async #listenWith(listener: Listener): Promise<number> {
    try {
      return await listener.listen();
    } catch (error) {
      const isLocal = listener === this.#local;
      const other = isLocal ? this.#url : this.#local;
      if (other === undefined && this.#attachment === undefined) await this.#core?.close();
      throw error;
    }
  }

  #urlAt(origin: string): string {
    return origin + this.#settings.pathPrefix + API_PREFIX;
  }

  /** What every way to this server has in common. */
  #serving(): Omit<ListenerOptions, "host" | "port" | "tls"> {
    const { bounds, limits, trustedProxies, observer } = this.#settings;
    return {
      bounds,
      trustedProxies,
      bodyRoom: this.#bodyRoom,
      requestBytesMax: limits.requestBytesMax,
      handle: (request, reply) => {
        this.#tellOfRequest();
        if (this.#core !== undefined) this.#core.handle(request, reply);
        else sendError(reply, systemError(503, "the server is not open"));
      },
      onRefused: (status) => observer?.answered("other", status, 0),
    };
  }

  #tellOfRequest(): void {
    const callback = this.#onNextRequest;
    this.#onNextRequest = undefined;
    callback?.();
  }

  #open(): Promise<ServerCore> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    this.#opening ??= this.#newCore();
    return this.#opening;
  }

  async #newCore(): Promise<ServerCore> {
    const core = new ServerCore(this.#settings, await createBackend(this.#settings));
    try {
      await core.open();
    } catch (error) {
      await core.close();
      throw error;
    }
    this.#core = core;
    return core;
  }

  async #close(): Promise<void> {
    // A server that is just about to listen is closed once it does; why it failed to is its caller's to hear.
    await Promise.allSettled([this.#opening, this.#listening, this.#listeningLocally]);
    this.#url = undefined;
    this.#listener.stop();
    this.#local?.stop();
    this.#core?.end();
    await Promise.all([this.#listener.closed(), this.#local?.closed(), this.#attachment?.closed()]);
    await this.#core?.close();
  }
}

const closedError = (): XrtcError => new XrtcError("XRTC_CLOSED", "the server does not listen");
