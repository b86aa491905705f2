import { XrtcError } from "../errors.js";
import type { Observable } from "../primitives/broadcast.js";
import { abortable } from "../primitives/deadline.js";
import type { Item } from "../protocol/item.js";
import type { ClientStatus } from "../status.js";
import type { Member } from "./member.js";

const DONE = { done: true, value: undefined } as const;

/**
 * Items of some portals as they come, without an end of its own: `for await (const item of subscription)`. Leaving the
 * loop closes the subscription.
 */
export class Subscription implements AsyncIterable<Item>, AsyncDisposable {
  readonly #member: Member;
  readonly #leave: (forget: boolean) => void;
  #closed = false;

  /** Made by `XrtcClient.subscribe`. */
  constructor(member: Member, leave: (forget: boolean) => void) {
    this.#member = member;
    this.#leave = leave;
  }

  /** How reading stands. */
  get status(): Observable<ClientStatus> {
    return this.#member.status;
  }

  /**
   * Resolves when reading has begun: what is set from then on is delivered, whatever the start position.
   *
   * @throws XrtcError why it cannot begin until somebody changes something; `XRTC_CLOSED`; the signal's reason
   */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    let end: () => void;
    const begun = new Promise<void>((resolve, reject) => {
      end = this.status.subscribe((status) => {
        if (status.kind === "connected") resolve();
        else if (status.kind === "refused") reject(status.cause);
        else if (status.kind === "closed") {
          reject(new XrtcError("XRTC_CLOSED", "The subscription is closed."));
        }
      });
    });
    await abortable(begun, options.signal).finally(() => end());
  }

  /** Items that wait to be taken. */
  get queued(): number {
    return this.#member.queued;
  }

  /**
   * Ends the subscription; calling it twice is one close.
   *
   * @param options.forget - give up the place of a named subscription, too. Default: false
   */
  close(options: { readonly forget?: boolean } = {}): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#leave(options.forget ?? false);
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    return {
      next: () => {
        if (this.#closed) return Promise.resolve(DONE);
        return this.#member.take().then((item) => {
          return item === undefined ? DONE : { done: false, value: item };
        });
      },
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }
}
