import { strict as assert } from "node:assert";
import { IDEMPOTENCY_MS } from "../protocol/limits.js";

/**
 * What one client, or all of them, may take up of the server's process. The limits of the XRTC service itself are in
 * protocol/limits.ts; these are our own.
 */
export interface Bounds {
  /** Open sockets in all. @defaultValue 10000 */
  readonly socketsMax: number;
  /** Open sockets of one address, or of one IPv6 network of 64 bits; trusted proxies aside. @defaultValue 2000 */
  readonly socketsPerAddressMax: number;
  /** Bytes of a request's headers, its first line included. @defaultValue 8192 */
  readonly headerBytesMax: number;
  /** Bytes of all bodies that are being received or answered, the first 8 KiB of each aside. @defaultValue 268435456 */
  readonly bodyBytesMax: number;
  /** Headers of a request. @defaultValue 64 */
  readonly headersMax: number;
  /** Milliseconds in which a request's headers must have come. @defaultValue 10000 */
  readonly headersTimeoutMs: number;
  /** Milliseconds in which a whole request must have come. @defaultValue 10000 */
  readonly requestTimeoutMs: number;
  /** Milliseconds after which a reader that takes nothing is cut off. @defaultValue 10000 */
  readonly stallTimeoutMs: number;
  /** Milliseconds that a connection without a request is kept. @defaultValue 65000 */
  readonly keepAliveTimeoutMs: number;
  /** Milliseconds between two looks at the timeouts above. @defaultValue 1000 */
  readonly checkIntervalMs: number;
  /** Milliseconds within which a closing server is closed, whatever its clients do. @defaultValue 2500 */
  readonly closeTimeoutMs: number;
  /** Gets that one session may have waiting. @defaultValue 128 */
  readonly waitingGetsPerSessionMax: number;
  /** Sessions in all. @defaultValue 20000 */
  readonly sessionsMax: number;
  /** Bytes of items in all portals together, estimated. @defaultValue 536870912 */
  readonly storedBytesMax: number;
  /** Refused logins, or begun registrations, of one address (IPv6: network of 64 bits) in a minute, after which it must wait. @defaultValue 20 */
  readonly failuresPerMinuteMax: number;
  /** Producers of ordered sets in one session. @defaultValue 256 */
  readonly producersPerSessionMax: number;
  /** Ordered sets of one session that may wait for their predecessors. @defaultValue 256 */
  readonly earlySetsPerSessionMax: number;
  /** Milliseconds that an ordered set waits for its predecessors. @defaultValue 1000 */
  readonly earlySetWaitMs: number;
  /** Idempotency keys that are remembered for one account. @defaultValue 100000 */
  readonly idempotencyKeysMax: number;
  /** Milliseconds that an idempotency key is remembered; clients count on the default. @defaultValue 120000 */
  readonly idempotencyMs: number;
  /** Registrations begun and not finished. @defaultValue 100 */
  readonly registrationsMax: number;
  /** Milliseconds that a registration code is good for. @defaultValue 300000 */
  readonly registrationCodeMs: number;
  /** Times that a registration code is sent. @defaultValue 3 */
  readonly registrationSendsMax: number;
  /** Wrong codes after which a registration is over. @defaultValue 3 */
  readonly registrationTriesMax: number;
  /** Accounts, those of the options and those registered. @defaultValue 1000 */
  readonly accountsMax: number;
}

/** The bounds of a server that is told no others. */
export const BOUNDS: Bounds = {
  socketsMax: 10_000,
  socketsPerAddressMax: 2_000,
  headerBytesMax: 8_192,
  bodyBytesMax: 268_435_456,
  headersMax: 64,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  stallTimeoutMs: 10_000,
  // Longer than a client keeps an idle connection (55 s), so that the client closes first.
  keepAliveTimeoutMs: 65_000,
  checkIntervalMs: 1_000,
  closeTimeoutMs: 2_500,
  waitingGetsPerSessionMax: 128,
  sessionsMax: 20_000,
  storedBytesMax: 536_870_912,
  failuresPerMinuteMax: 20,
  producersPerSessionMax: 256,
  earlySetsPerSessionMax: 256,
  earlySetWaitMs: 1_000,
  idempotencyKeysMax: 100_000,
  idempotencyMs: IDEMPOTENCY_MS,
  registrationsMax: 100,
  registrationCodeMs: 300_000,
  registrationSendsMax: 3,
  registrationTriesMax: 3,
  accountsMax: 1_000,
};

assert(BOUNDS.closeTimeoutMs < 3_000);
assert(BOUNDS.headersTimeoutMs <= BOUNDS.requestTimeoutMs);
