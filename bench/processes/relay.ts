/** A process that relays TCP connections and holds back every byte for a while: a long way, without loss. */

import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { answer, endWithParent, task } from "./child.js";

export interface RelayTask {
  readonly port: number;
  /** Milliseconds that a byte is held back, in each direction. */
  readonly delayMs: number;
}

/** Chunks on their way, above which a fraction of a millisecond does not matter any more. */
const PRECISE_CHUNKS_MAX = 64;

const { port, delayMs } = task() as RelayTask;
let onTheWay = 0;

/** Hands on what one side sends to the other, after the delay and in its order. */
function carry(from: Socket, to: Socket): void {
  const queue: { readonly chunk: Buffer | undefined; readonly dueAt: number }[] = [];
  let isWaiting = false;
  const deliver = (): void => {
    isWaiting = false;
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      const early = head.dueAt - performance.now();
      if (early > 0) {
        wait(early);
        return;
      }
      queue.shift();
      onTheWay -= 1;
      if (head.chunk === undefined) to.end();
      else to.write(head.chunk);
    }
  };
  /** A timer is exact to a millisecond only: the last of it is spent asking, so that the delay is what it is said to be. */
  const wait = (early: number): void => {
    isWaiting = true;
    if (early >= 1 || onTheWay > PRECISE_CHUNKS_MAX) setTimeout(deliver, Math.floor(early));
    else setImmediate(deliver);
  };
  const take = (chunk: Buffer | undefined): void => {
    queue.push({ chunk, dueAt: performance.now() + delayMs });
    onTheWay += 1;
    if (!isWaiting) wait(delayMs);
  };
  from.on("data", take);
  from.on("end", () => take(undefined));
  from.on("error", () => to.destroy());
  from.on("close", () => {
    if (from.errored !== null) to.destroy();
  });
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  carry(client, upstream);
  carry(upstream, client);
});

endWithParent();
server.listen(0, "127.0.0.1", () => answer({ port: (server.address() as AddressInfo).port }));
