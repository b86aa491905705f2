/** Public surface of the local XRTC server. */

// The server
export { XrtcServer } from "./server.js";
export type { ServerStats } from "./stats.js";

// Its options
export type { Bounds } from "./bounds.js";
export { BOUNDS } from "./bounds.js";
export type { Log, LogRecord } from "./log.js";
export type { Extension, XrtcServerAccount, XrtcServerOptions } from "./options.js";
export type { ObservedCall, ServerObserver } from "./observer.js";
export type { XrtcServerTls } from "./tls.js";
export { newAccountId, newApiKey } from "../protocol/new-credentials.js";
export { sha256Of } from "./new-credentials.js";

// What it shares with the SDK
export type { XrtcErrorCode } from "../errors.js";
export { isXrtcError, REMEDIES, XrtcError } from "../errors.js";
export type { Limits, LimitsPreset } from "../protocol/limits.js";
export { LIMITS } from "../protocol/limits.js";
export type { Clock } from "../primitives/clock.js";
export type { Random } from "../primitives/random.js";
export { Redacted } from "../primitives/redacted.js";
