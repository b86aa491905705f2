/** The SDK: a client for XRTC, usable with or without Node-RED. */

// The client
export { XrtcClient } from "./client/client.js";
export type {
  CallOptions,
  GetItemsOptions,
  SetItemsOptions,
  SubscribeOptions,
} from "./client/call-options.js";
export type { XrtcClientOptions } from "./client/options.js";
export type { TlsOptions } from "./client/network.js";
export type { ProxyOptions } from "./transport/proxy-route.js";
export type { SetResult } from "./writer/queued-write.js";
export type { DeliveryLevel, QueuePolicy } from "./writer/policy.js";

// Registration
export { finishRegistration, startRegistration } from "./client/registration.js";
export type { Registered, RegistrationOptions } from "./client/registration.js";

// Reading
export { Subscription } from "./subscription/subscription.js";
export type { Start } from "./subscription/member.js";
export type { Gap, ItemPlace } from "./subscription/portal-reader.js";

// Items and portals
export type { Item, Mode, NewItem, RequestedPortal, Schedule } from "./protocol/item.js";
export { isAccountId, isApiKey, isPortalId } from "./protocol/item.js";

// Limits and addresses
export { API_KEY_LENGTH, LIMITS } from "./protocol/limits.js";
export type { Limits, LimitsPreset } from "./protocol/limits.js";
export { HOSTED_BASE_URL, PATHS } from "./protocol/paths.js";

// Errors and status
export { asError, isXrtcError, printable, REMEDIES, XrtcError } from "./errors.js";
export type { Outcome, XrtcErrorCode, XrtcErrorDetails } from "./errors.js";
export type { Usage } from "./session/admission.js";
export type { BudgetLevel, CounterStore, MonthCount } from "./session/month-budget.js";
export { sameStatus } from "./status.js";
export type { ClientStatus } from "./status.js";
export { Broadcast } from "./primitives/broadcast.js";
export type { Observable } from "./primitives/broadcast.js";
export { Redacted } from "./primitives/redacted.js";

// Ports: time, chance and the network as parameters
export { sleep, systemClock } from "./primitives/clock.js";
export type { Cancel, Clock } from "./primitives/clock.js";
export { systemRandom } from "./primitives/random.js";
export type { Random } from "./primitives/random.js";
export { backoffMs } from "./primitives/backoff.js";
export type { PostRequest, Transport, TransportResponse } from "./transport/transport.js";
export { TransportError } from "./transport/transport.js";
