import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { canonicalAddress, networkOf } from "../address.js";
import type { HttpReply } from "./http-reply.js";
import { IdleWatch, type IdleWatchOptions } from "./idle-watch.js";

/** Bytes of answers that may wait on one connection before the next request on it is looked at. */
const QUEUED_BYTES_MAX = 131_072;

/** One socket and the answers that are under way on it: one at a time as a rule, and then without a set for it. */
class Connection {
  readonly address: string;
  /** Whether a request came that ends the connection: what follows it is not looked at. */
  isLast = false;
  #only: HttpReply | undefined;
  #others: Set<HttpReply> | undefined;
  /** Requests that are looked at when more of the answers before them has been read. */
  #held: (() => void)[] | undefined;

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

  /** Calls back now, or once more of the answers that wait has been read. */
  whenRead(callback: () => void): void {
    if (this.#held === undefined && !this.#isLoaded()) callback();
    else (this.#held ??= []).push(callback);
  }

  letOn(): void {
    while (this.#held !== undefined && !this.#isLoaded()) {
      const next = this.#held.shift();
      if (this.#held.length === 0) this.#held = undefined;
      next?.();
    }
  }

  dropHeld(): void {
    this.#held = undefined;
  }

  /** Whether more answers wait for their reader than one connection may have. */
  #isLoaded(): boolean {
    if (this.#others === undefined || this.#others.size === 0) return false;
    return this.replies.reduce((sum, reply) => sum + reply.queuedBytes, 0) > QUEUED_BYTES_MAX;
  }
}

/** What goes on on a connection: nothing, a request that did not come whole yet, or an answer. */
export type Activity = "nothing" | "request" | "answer";

export interface ConnectionsOptions extends IdleWatchOptions {
  /** Open sockets of one address, or of one network of IPv6. */
  readonly perAddressMax: number;
  /** Addresses that stand for many clients. */
  readonly unbounded: ReadonlySet<string>;
  /** Whether each socket becomes another one by a handshake. */
  readonly isTls: boolean;
}

/** The open sockets: how many an address has, and what is under way on each. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #byAddress = new Map<string, number>();
  /** Those whose TLS handshake is not over, by their other end. */
  readonly #unsecured = new Map<string, Socket>();
  readonly #idle: IdleWatch;
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#idle = new IdleWatch(options);
  }

  get size(): number {
    return this.#bySocket.size;
  }

  /** Takes a new socket in, or destroys it when its address has had its share. */
  add(socket: Socket): void {
    const { perAddressMax, unbounded, isTls } = this.#options;
    const peer = canonicalAddress(socket.remoteAddress ?? "");
    const address = networkOf(peer);
    const count = this.#byAddress.get(address) ?? 0;
    if ((count >= perAddressMax && !unbounded.has(peer)) || this.#isClosing) {
      socket.destroy();
      return;
    }
    this.#byAddress.set(address, count + 1);
    this.#bySocket.set(socket, new Connection(address));
    this.#idle.idle(socket);
    socket.once("close", () => this.#remove(socket));
    if (!isTls) return;
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
    this.#idle.busy(bare);
    this.#idle.idle(socket);
    socket.once("close", () => this.#remove(socket));
  }

  has(socket: Socket): boolean {
    return this.#bySocket.has(socket);
  }

  /** Notes an answer that is to come. @returns false when a request before this one ends the connection */
  addReply(socket: Socket, reply: HttpReply): boolean {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined || connection.isLast) return false;
    connection.add(reply);
    this.#idle.busy(socket);
    return true;
  }

  removeReply(socket: Socket, reply: HttpReply): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    connection.remove(reply);
    connection.letOn();
    if (!connection.isIdle) return;
    if (this.#isClosing) socket.destroySoon();
    else this.#idle.idle(socket);
  }

  /** Looks at no request any more that comes on this socket. */
  setLast(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection !== undefined) connection.isLast = true;
  }

  /** Calls back now, or once the client has read enough of the answers to the requests that it sent before. */
  whenRead(socket: Socket, callback: () => void): void {
    this.#bySocket.get(socket)?.whenRead(callback);
  }

  activityOf(socket: Socket): Activity {
    const [first, second] = this.#bySocket.get(socket)?.replies ?? [];
    if (first === undefined) return "nothing";
    return second === undefined && first.isUnasked ? "request" : "answer";
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
    this.#idle.busy(socket);
    const { address, replies } = connection;
    connection.dropHeld();
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
    // node:http tells only the answer that was being sent, not those that were to follow it.
    for (const reply of replies) reply.closed();
    if (this.size > 0) return;
    this.#idle.stop();
    this.#onEmpty?.();
  }
}

/** What tells the open sockets of one server from each other. */
const otherEndOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress} ${remotePort}`;
