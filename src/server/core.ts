import { asError, printable } from "../errors.js";
import type { MaybeAsync } from "../primitives/maybe-async.js";
import { TimeoutQueue } from "../primitives/timeout-queue.js";
import { peerOf, canonicalAddress } from "./address.js";
import type { Backend } from "./backend/backend.js";
import { MemoryBackend } from "./backend/memory/memory-backend.js";
import type { Call, ServerContext } from "./context.js";
import { headerOf, type ServerReply, type ServerRequest } from "./exchange.js";
import { FailureThrottle } from "./failure-throttle.js";
import { Guard } from "./guard.js";
import { Logger } from "./log.js";
import { observed } from "./observer.js";
import type { ServerSettings, XrtcServerAccount } from "./options.js";
import { route } from "./router.js";
import { Counters, type ServerStats } from "./stats.js";
import { systemError, WireError } from "./wire-error.js";
import { sendError } from "./wire-reply.js";

/**
 * The whole server but its sockets: requests in, answers out. Time and chance come from the settings, so that it runs
 * in a simulation as it runs behind a socket.
 */
export class ServerCore {
  readonly #context: ServerContext;
  readonly #trustedProxies: ReadonlySet<string>;
  readonly #guard: Guard;
  readonly #pathPrefix: string;
  #isEnding = false;
  #isClosed = false;

  constructor(settings: ServerSettings, backend: Backend = new MemoryBackend(settings)) {
    this.#context = contextOf(settings, backend, () => this.#isEnding);
    this.#trustedProxies = new Set(settings.trustedProxies.map(canonicalAddress));
    this.#guard = new Guard(settings);
    this.#pathPrefix = settings.pathPrefix;
  }

  get stats(): Omit<ServerStats, "sockets"> {
    const { counters, backend } = this.#context;
    const { requests, logins, itemsSet, itemsDelivered, waitingGets } = counters;
    const counted = { requests, logins, itemsSet, itemsDelivered, waitingGets };
    return { ...counted, itemsOverrun: backend.itemsOverrun, sessions: backend.sessions.size };
  }

  /** Why the server cannot serve just now; undefined while it can. */
  get trouble(): string | undefined {
    return this.#context.backend.trouble;
  }

  /**
   * Makes ready to serve; a core with everything in memory always is.
   *
   * @throws XrtcError XRTC_ENGINE_UNAVAILABLE, XRTC_OPTIONS as the backend tells
   */
  open(): MaybeAsync<void> {
    return this.#context.backend.open();
  }

  /** Takes other accounts in place of those of the options. */
  renewAccounts(accounts: readonly XrtcServerAccount[]): MaybeAsync<void> {
    return this.#context.backend.renewAccounts(accounts);
  }

  /** Answers a request, now or later. Throws nothing: what goes wrong is answered, too. */
  handle(request: ServerRequest, bareReply: ServerReply): void {
    const { observer, clock } = this.#context.settings;
    const reply =
      observer === undefined
        ? bareReply
        : observed(bareReply, request.path.slice(this.#pathPrefix.length), { observer, clock });
    const forwardedFor = headerOf(request.headers, "x-forwarded-for");
    const call: Call = {
      request,
      reply,
      peer: peerOf(request.peer, forwardedFor, this.#trustedProxies),
      fail: (error) => this.#fail(reply, error),
    };
    this.#context.counters.requests += 1;
    try {
      const refused = this.#guard.refusal(request);
      if (refused !== undefined) throw refused;
      if (this.#isEnding) throw systemError(503, "the server is closing");
      route(this.#context, this.#pathPrefix === "" ? call : this.#unprefixed(call));
    } catch (error) {
      call.fail(error);
    }
  }

  /** Ends every open answer cleanly and refuses what comes after. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#context.backend.sessions.endAll();
    this.#context.getTimeouts.clear();
  }

  /** The same, and lets go of what the answers came from: when none is under way any more. Leaves no timer behind. */
  close(): MaybeAsync<void> {
    this.end();
    if (this.#isClosed) return undefined;
    this.#isClosed = true;
    return this.#context.backend.close();
  }

  /** The same call with the path that the routes know. */
  #unprefixed(call: Call): Call {
    const { request } = call;
    if (!request.path.startsWith(this.#pathPrefix)) throw systemError(404, "there is no such call");
    const path = request.path.slice(this.#pathPrefix.length);
    return { ...call, request: { ...request, path } };
  }

  #fail(reply: ServerReply, error: unknown): void {
    if (error instanceof WireError) {
      sendError(reply, error);
      return;
    }
    const { name, message } = asError(error);
    this.#context.logger.write("error", "internal", printable(`${name}: ${message}`));
    sendError(reply, systemError(500, "the server failed to answer this request"));
  }
}

function contextOf(
  settings: ServerSettings,
  backend: Backend,
  isClosing: () => boolean,
): ServerContext {
  const { clock, limits, bounds, log } = settings;
  return {
    settings,
    backend,
    failures: new FailureThrottle(bounds.failuresPerMinuteMax, clock),
    counters: new Counters(),
    logger: new Logger(log, clock),
    getTimeouts: new TimeoutQueue(limits.getTimeoutMs, clock),
    isClosing,
  };
}
