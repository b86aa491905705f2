import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { canonicalAddress } from "../address.js";
import type { HttpReply } from "./http-reply.js";

/** One socket and the answers that are under way on it: one at a time as a rule, and then without a set for it. */
class Connection {
  readonly address: string;
  #only: HttpReply | undefined;
  #others: Set<HttpReply> | undefined;

  constructor(address: string) {
    this.address = address;
  }

  get isIdle(): boolean {
    return this.#only === undefined && (this.#others === undefined || this.#others.size === 0);
  }

  get replies(): readonly HttpReply[] {
    const others = this.#others ?? [];
    return this.#only === undefined ? [...others] : [this.#only, ...others];
  }

  add(reply: HttpReply): void {
    if (this.isIdle) this.#only = reply;
    else (this.#others ??= new Set()).add(reply);
  }

  remove(reply: HttpReply): void {
    if (this.#only === reply) this.#only = undefined;
    else this.#others?.delete(reply);
  }
}

/** The open sockets: how many an address has, and what is under way on each. */
export class Connections {
  readonly #perAddressMax: number;
  readonly #isTls: boolean;
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #byAddress = new Map<string, number>();
  /** Those whose TLS handshake is not over, by their other end. */
  readonly #unsecured = new Map<string, Socket>();
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  /** @param isTls - whether each socket becomes another one by a handshake */
  constructor(perAddressMax: number, isTls: boolean) {
    this.#perAddressMax = perAddressMax;
    this.#isTls = isTls;
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
    this.#bySocket.set(socket, new Connection(address));
    socket.once("close", () => this.#remove(socket));
    if (!this.#isTls) return;
    const end = otherEndOf(socket);
    this.#unsecured.set(end, socket);
    socket.once("close", () => this.#unsecured.delete(end));
  }

  /** Puts a socket in the place of the one that it was made from by a handshake. */
  secure(socket: TLSSocket): void {
    const bare = this.#unsecured.get(otherEndOf(socket));
    const connection = bare === undefined ? undefined : this.#bySocket.get(bare);
    if (bare === undefined || connection === undefined || this.#isClosing) {
      socket.destroy();
      return;
    }
    this.#unsecured.delete(otherEndOf(socket));
    this.#bySocket.delete(bare);
    this.#bySocket.set(socket, connection);
    socket.once("close", () => this.#remove(socket));
  }

  has(socket: Socket): boolean {
    return this.#bySocket.has(socket);
  }

  addReply(socket: Socket, reply: HttpReply): void {
    this.#bySocket.get(socket)?.add(reply);
  }

  removeReply(socket: Socket, reply: HttpReply): void {
    const connection = this.#bySocket.get(socket);
    connection?.remove(reply);
    if (this.#isClosing && connection?.isIdle === true) socket.destroySoon();
  }

  /** Whether an answer is under way on the socket. */
  isAnswering(socket: Socket): boolean {
    return this.#bySocket.get(socket)?.isIdle === false;
  }

  /** Closes what is idle now, and everything else once its answers are sent. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    for (const [socket, { isIdle }] of [...this.#bySocket]) {
      if (isIdle) socket.destroySoon();
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
    for (const reply of replies) reply.closed();
    if (this.size === 0) this.#onEmpty?.();
  }
}

/** What tells the open sockets of one server from each other. */
const otherEndOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress} ${remotePort}`;
