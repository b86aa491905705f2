import type { XrtcError } from "../errors.js";
import type { ReceivedLine } from "../protocol/codec.js";
import type { GetRequest, Mode } from "../protocol/item.js";
import type { TurnFacts } from "./portal-reader.js";
import type { Signal } from "../primitives/signal.js";

export interface SourceLogin extends TurnFacts {
  readonly extensions: ReadonlySet<string>;
  /** UNIX ms of the server's clock. */
  serverNow(): number;
}

export interface SourceTurn {
  readonly login: SourceLogin;
  readonly lines: AsyncIterable<ReceivedLine>;
}

/** Where items come from. */
export interface ItemSource {
  login(signal: Signal): Promise<SourceLogin>;
  get(mode: Mode, request: (login: SourceLogin) => GetRequest, signal: Signal): Promise<SourceTurn>;
  /** Tells that reading failed. @returns in how many ms it may be tried again */
  troubled(cause: XrtcError, failures: number, backoff: number): number;
}
