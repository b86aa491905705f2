import type { Socket } from "node:net";
import { canonicalAddress } from "../address.js";
import type { HttpReply } from "./http-reply.js";

/** One socket and the answers that are under way on it. */
interface Connection {
  readonly address: string;
  readonly replies: Set<HttpReply>;
}

/** The open sockets: how many an address has, and what is under way on each. */
export class Connections {
  readonly #perAddressMax: number;
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #byAddress = new Map<string, number>();
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  constructor(perAddressMax: number) {
    this.#perAddressMax = perAddressMax;
  }

  get size(): number {
    return this.#bySocket.size;
  }

  /** Takes a new socket in, or destroys it when its address has had its share. */
  add(socket: Socket): void {
    const address = canonicalAddress(socket.remoteAddress ?? "");
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#perAddressMax || this.#isClosing) {
      socket.destroy();
      return;
    }
    this.#byAddress.set(address, count + 1);
    this.#bySocket.set(socket, { address, replies: new Set() });
    socket.once("close", () => this.#remove(socket));
  }

  addReply(socket: Socket, reply: HttpReply): void {
    this.#bySocket.get(socket)?.replies.add(reply);
  }

  removeReply(socket: Socket, reply: HttpReply): void {
    const connection = this.#bySocket.get(socket);
    connection?.replies.delete(reply);
    if (this.#isClosing && connection?.replies.size === 0) socket.destroySoon();
  }

  /** Whether an answer is under way on the socket. */
  isAnswering(socket: Socket): boolean {
    return (this.#bySocket.get(socket)?.replies.size ?? 0) > 0;
  }

  /** Closes what is idle now, and everything else once its answers are sent. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    for (const [socket, { replies }] of [...this.#bySocket]) {
      if (replies.size === 0) socket.destroySoon();
    }
  }

  /** Resolves when no socket is open. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.size === 0) resolve();
      else this.#onEmpty = resolve;
    });
  }

  destroyAll(): void {
    for (const socket of [...this.#bySocket.keys()]) socket.destroy();
  }

  #remove(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    this.#bySocket.delete(socket);
    const { address, replies } = connection;
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
    // node:http tells only the answer that was being sent, not those that were to follow it.
    for (const reply of [...replies]) reply.closed();
    if (this.size === 0) this.#onEmpty?.();
  }
}
