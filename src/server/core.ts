import { asError, printable } from "../errors.js";
import { TimeoutQueue } from "../primitives/timeout-queue.js";
import { Accounts } from "./accounts.js";
import { peerOf, canonicalAddress } from "./address.js";
import type { Call, ServerContext } from "./context.js";
import { MemoryEngine } from "./engine/memory.js";
import { headerOf, type ServerReply, type ServerRequest } from "./exchange.js";
import { FailureThrottle } from "./failure-throttle.js";
import { Guard } from "./guard.js";
import { Logger } from "./log.js";
import type { ServerSettings } from "./options.js";
import { Registrations } from "./registrations.js";
import { route } from "./router.js";
import { SessionTable } from "./session-table.js";
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
  #isClosed = false;

  constructor(settings: ServerSettings) {
    this.#context = contextOf(settings);
    this.#trustedProxies = new Set(settings.trustedProxies.map(canonicalAddress));
    this.#guard = new Guard(settings);
  }

  get stats(): Omit<ServerStats, "sockets"> {
    const { counters, sessions } = this.#context;
    const { requests, logins, itemsSet, itemsDelivered, waitingGets } = counters;
    return { requests, logins, itemsSet, itemsDelivered, waitingGets, sessions: sessions.size };
  }

  get durability(): string {
    return this.#context.engine.durability;
  }

  /** Answers a request, now or later. Throws nothing: what goes wrong is answered, too. */
  handle(request: ServerRequest, reply: ServerReply): void {
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
      if (this.#isClosed) throw systemError(503, "the server is closing");
      route(this.#context, call);
    } catch (error) {
      call.fail(error);
    }
  }

  /** Ends every open answer cleanly and refuses what comes after. Leaves no timer behind. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { sessions, engine, getTimeouts, earlySetTimeouts } = this.#context;
    sessions.endAll();
    getTimeouts.clear();
    earlySetTimeouts.clear();
    engine.close();
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

function contextOf(settings: ServerSettings): ServerContext {
  const { clock, limits, bounds, random } = settings;
  return {
    settings,
    engine: new MemoryEngine({
      limits,
      clock,
      epoch: random.id(),
      withSequence: settings.extensions.has("seq"),
      storedBytesMax: bounds.storedBytesMax,
    }),
    accounts: new Accounts(settings),
    sessions: new SessionTable({
      clock,
      idleMsMax: limits.sessionIdleMsMax,
      positionMsMax: limits.itemAgeMsMax + 1_000,
    }),
    registrations: new Registrations(settings),
    failures: new FailureThrottle(bounds.failuresPerMinuteMax, clock),
    counters: new Counters(),
    logger: new Logger(settings.log, clock),
    getTimeouts: new TimeoutQueue(limits.getTimeoutMs, clock),
    earlySetTimeouts: new TimeoutQueue(bounds.earlySetWaitMs, clock),
  };
}
