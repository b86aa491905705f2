import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { type Cut, type Fault, duplicating, first, garbling, pausing } from "./faults.js";
import {
  type Framing,
  GoneError,
  type Head,
  Inbox,
  MessageReader,
  asChunked,
  endOf,
  framed,
  headBytes,
  requestFraming,
  responseFraming,
  statusOf,
} from "./http-framing.js";
import { reset } from "./reset.js";

const cut = (socket: Socket | undefined, how: Cut): void => {
  if (how === "rst") reset(socket);
  else socket?.destroySoon();
};

interface Upstream {
  readonly socket: Socket;
  readonly answers: MessageReader;
}

/** What has to go on the wire, and how: the sink of one side of an exchange. */
interface Sink {
  readonly socket: Socket;
  /** Greatest size of one write in bytes. */
  readonly bytesMax?: number;
}

/** One client's connection: passes exchanges on to the server, one after the other, each with its fault. */
export class FaultConnection {
  readonly #client: Socket;
  readonly #upstreamPort: number;
  readonly #fault: (head: Head) => Fault | undefined;
  readonly #requests: MessageReader;
  /** Aborted as soon as the client is gone. */
  readonly #gone = new AbortController();
  readonly #untilGone: Promise<void>;
  #upstream: Upstream | undefined;
  #busy = false;

  constructor(client: Socket, upstreamPort: number, fault: (head: Head) => Fault | undefined) {
    this.#client = client;
    this.#upstreamPort = upstreamPort;
    this.#fault = fault;
    client.setNoDelay(true);
    // The reason of an end is of no interest here: "close" follows.
    client.on("error", () => client.destroy());
    this.#untilGone = once(this.#gone.signal, "abort").then(() => undefined);
    client.once("close", () => {
      this.#gone.abort(new GoneError("the client is gone"));
      // What was passed on already reaches the server before it hears of that.
      this.#upstream?.socket.destroySoon();
    });
    this.#requests = new MessageReader(new Inbox(client));
  }

  /** Whether it stands between two exchanges. */
  get idle(): boolean {
    return !this.#busy;
  }

  cut(how: Cut): void {
    cut(this.#client, how);
    cut(this.#upstream?.socket, how);
  }

  /**
   * Serves the connection until either side has ended.
   *
   * @throws what is no end: a message that cannot be read, a fault that cannot be done
   */
  async serve(): Promise<void> {
    try {
      for (;;) {
        const head = await this.#requests.head();
        if (head === undefined) break;
        this.#busy = true;
        const goesOn = await this.#exchange(head, this.#fault(head));
        this.#busy = false;
        if (!goesOn) break;
      }
      this.#client.destroySoon();
    } catch (error) {
      if (!(error instanceof GoneError) && this.#gone.signal.reason !== error) throw error;
      this.#client.destroy();
    } finally {
      this.#upstream?.socket.destroy();
    }
  }

  /** @returns whether another exchange may follow on this connection */
  async #exchange(head: Head, fault: Fault | undefined): Promise<boolean> {
    const request = this.#requests.body(requestFraming(head));
    switch (fault?.kind) {
      case "refuse":
        cut(this.#client, fault.how);
        return false;
      case "answer":
        await drain(request);
        await this.#answer(fault);
        return true;
      case "black-hole":
        if (fault.direction !== "down") return this.#silence(request);
        break;
      case "delay":
        if (fault.of !== "response") await this.#delay(fault.ms);
        break;
      case "hold":
        if (fault.of === "request") await this.#until(fault.until);
        break;
      case "cut-request":
        return this.#cutRequest(head, request, fault);
      default:
    }
    const upstream = await this.#connected();
    const [, goesOn] = await Promise.all([
      this.#pass({ socket: upstream.socket }, head.lines, requestFraming(head), request),
      this.#respond(upstream.answers, head.startLine.split(" ")[0] ?? "", fault),
    ]);
    return goesOn;
  }

  async #cutRequest(
    head: Head,
    request: AsyncGenerator<Buffer, void>,
    { afterBytes, how }: Extract<Fault, { kind: "cut-request" }>,
  ): Promise<boolean> {
    const { socket } = await this.#connected();
    const framing = requestFraming(head);
    await this.#write({ socket }, headBytes(head.lines));
    for await (const part of first(request, afterBytes)) {
      await this.#write({ socket }, framed(framing, part));
    }
    this.cut(how);
    return false;
  }

  async #respond(
    answers: MessageReader,
    method: string,
    fault: Fault | undefined,
  ): Promise<boolean> {
    const head = await this.#finalHead(answers);
    const own = responseFraming(head, method);
    const body = answers.body(own);
    const sink = {
      socket: this.#client,
      ...(fault?.kind === "slice" ? { bytesMax: fault.bytes } : {}),
    };
    if (fault?.kind === "swallow") return this.#silence(body);
    if (fault?.kind === "delay" && fault.of === "response") await this.#delay(fault.ms);
    if (fault?.kind === "cut-response") return this.#cutResponse(sink, head, own, body, fault);
    if (fault?.kind === "black-hole") {
      await this.#write(sink, headBytes(head.lines));
      for await (const part of first(body, fault.afterBytes ?? 0)) {
        await this.#write(sink, framed(own, part));
      }
      return this.#silence(body);
    }
    // A length that was told before would be wrong for a body that grows.
    const grows = fault?.kind === "duplicate-line" && own.kind === "length";
    const framing: Framing = grows ? { kind: "chunked" } : own;
    const lines = grows ? asChunked(head) : head.lines;
    await this.#pass(sink, lines, framing, this.#changed(body, fault));
    return framing.kind !== "close" && !/^close$/i.test(head.headers.get("connection") ?? "");
  }

  #changed(
    body: AsyncGenerator<Buffer, void>,
    fault: Fault | undefined,
  ): AsyncGenerator<Buffer, void> {
    if (fault?.kind === "duplicate-line") return duplicating(body, fault.line);
    if (fault?.kind === "garble") return garbling(body, fault.at, fault.bytes);
    if (fault?.kind === "hold" && fault.of !== "request") {
      return pausing(body, fault.afterBytes ?? 0, () => this.#until(fault.until));
    }
    return body;
  }

  async #cutResponse(
    sink: Sink,
    head: Head,
    own: Framing,
    body: AsyncGenerator<Buffer, void>,
    { afterBytes, how }: Extract<Fault, { kind: "cut-response" }>,
  ): Promise<boolean> {
    const asIfWhole = how === "clean" && own.kind === "length";
    const framing: Framing = asIfWhole ? { kind: "chunked" } : own;
    await this.#write(sink, headBytes(asIfWhole ? asChunked(head) : head.lines));
    for await (const part of first(body, afterBytes))
      await this.#write(sink, framed(framing, part));
    this.#upstream?.socket.destroy();
    this.#upstream = undefined;
    if (how !== "clean") {
      cut(this.#client, how);
      return false;
    }
    await this.#write(sink, endOf(framing));
    return framing.kind === "chunked";
  }

  /** The head of the answer; what announces it (100 Continue) is passed on. */
  async #finalHead(answers: MessageReader): Promise<Head> {
    for (;;) {
      const head = await answers.head();
      if (head === undefined) throw new GoneError("the server ended without an answer");
      if (statusOf(head) >= 200) return head;
      await this.#write({ socket: this.#client }, headBytes(head.lines));
    }
  }

  async #pass(
    sink: Sink,
    lines: readonly string[],
    framing: Framing,
    body: AsyncIterable<Buffer>,
  ): Promise<void> {
    await this.#write(sink, headBytes(lines));
    for await (const part of body) await this.#write(sink, framed(framing, part));
    await this.#write(sink, endOf(framing));
  }

  async #answer({
    status,
    headers = {},
    body = "",
  }: Extract<Fault, { kind: "answer" }>): Promise<void> {
    const all = { "content-length": String(Buffer.byteLength(body)), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    const head = headBytes([`HTTP/1.1 ${status} Fault`, ...lines]);
    await this.#write({ socket: this.#client }, Buffer.concat([head, Buffer.from(body)]));
  }

  /** Reads on and tells nobody, until the client has gone. */
  async #silence(body: AsyncIterable<Buffer>): Promise<false> {
    await Promise.race([drain(body), this.#untilGone]);
    await this.#untilGone;
    return false;
  }

  /** @throws the reason of the client's going, when it goes first */
  async #until(promise: Promise<unknown>): Promise<void> {
    await Promise.race([promise, this.#untilGone]);
    this.#gone.signal.throwIfAborted();
  }

  async #delay(ms: number): Promise<void> {
    await this.#until(delay(ms, undefined, { signal: this.#gone.signal }).catch(() => undefined));
  }

  async #connected(): Promise<Upstream> {
    if (this.#upstream !== undefined && !this.#upstream.socket.destroyed) return this.#upstream;
    const socket = connect({ host: "127.0.0.1", port: this.#upstreamPort, noDelay: true });
    const answers = new MessageReader(new Inbox(socket));
    const upstream = { socket, answers };
    this.#upstream = upstream;
    // Each side hears of the other's end, as it would without a proxy; between exchanges, too.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      if (this.idle && this.#upstream === upstream) this.#client.destroySoon();
    });
    await new Promise((resolve) => {
      socket.once("connect", resolve).once("close", resolve);
    });
    if (socket.destroyed) {
      reset(this.#client);
      throw new GoneError("the server cannot be reached");
    }
    return upstream;
  }

  async #write({ socket, bytesMax = Infinity }: Sink, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += bytesMax) {
      const part = bytes.subarray(at, at + Math.min(bytesMax, bytes.length));
      await new Promise<void>((resolve, reject) => {
        if (!socket.writable) reject(new GoneError("the other side is gone"));
        else
          socket.write(part, (error) => (error ? reject(new GoneError(error.message)) : resolve()));
      });
      // A turn of the event loop between two pieces, so that they are read apart.
      if (bytesMax < Infinity) await setImmediate();
    }
  }
}

/** Reads a body, and takes it for whole where its sender went away. */
async function drain(body: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const part of body) void part;
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
  }
}
