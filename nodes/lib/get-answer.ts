/** From the items of a get to the messages that answer the one that asked; pure. */

import type { Item } from "../../src/index.js";
import { asXrtcError } from "./errors.js";
import { messageOf, type ReceivedMessage, rejectedMessageOf } from "./message-in.js";
import type { GetSettings } from "./settings/get.js";

type Message = Readonly<Record<string, unknown>>;

export interface GetAnswer {
  /** What goes out, in order. */
  readonly messages: readonly Message[];
  /** Items that are not as the output expects: each with a message for a Catch node. */
  readonly rejected: readonly { readonly error: Error; readonly message: Message }[];
}

export interface Asked {
  readonly message: Message;
  readonly settings: Pick<GetSettings, "result" | "output" | "malformed">;
  /** A copy that shares nothing with the original. */
  readonly clone: (message: Message) => Message;
  /** Marks the messages of one answer as parts of it. */
  readonly partsId: string;
  /** UNIX ms of the server's clock, for `latency`. */
  readonly serverNow: number | undefined;
}

/** Each message is a fresh copy of the one that asked, without its payload: that made room for the item's. */
export function answerOf(items: readonly Item[], asked: Asked): GetAnswer {
  const { message, settings, clone, partsId, serverNow } = asked;
  const { payload: _payload, parts: outer, ...kept } = message;
  const copy = (own: Message): Message => ({ ...clone(kept), ...own });
  const received: ReceivedMessage[] = [];
  const rejected: { error: Error; message: Message }[] = [];
  for (const item of items) {
    try {
      const { output, malformed } = settings;
      received.push(messageOf(item, { output, malformed, serverNow }));
    } catch (thrown) {
      rejected.push({ error: asXrtcError(thrown), message: copy(rejectedMessageOf(item)) });
    }
  }
  const isPart = outer !== undefined;
  if (settings.result === "array") {
    const whole = copy({ payload: received, ...(isPart ? clone({ parts: outer }) : {}) });
    return { messages: [whole], rejected };
  }
  const count = received.length;
  const messages = received.map((own, index) => {
    // As the split node does it: one array may be a part of another.
    const nested = isPart ? clone({ parts: outer }) : {};
    const parts = { ...nested, id: partsId, type: "array", count, len: 1, index };
    return copy({ ...own, parts });
  });
  return { messages, rejected };
}
