import type { Socket } from "node:net";
import { closeRaw, connectRaw } from "./raw-socket.js";

const CONNACK = 2;
const PUBLISH = 3;
const SUBACK = 9;

/** One connection that speaks as much MQTT 3.1.1 as a reader and a sender need. */
export class MqttSocket {
  readonly #port: number;
  #socket: Socket | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #onAnswer: (type: number) => void = () => undefined;
  #onGone: (error: Error) => void = () => undefined;
  #onPayload: (payload: string) => void = () => undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async connect(clientId: string): Promise<void> {
    this.#socket = await connectRaw(this.#port, {
      onBytes: (bytes) => this.#take(bytes),
      onGone: (error) => this.#onGone(error),
    });
    // Protocol level 4, a clean session, no keep-alive.
    const header = Buffer.from([0, 4, 77, 81, 84, 84, 4, 2, 0, 0]);
    await this.#exchange(1, 0, Buffer.concat([header, text(clientId)]), CONNACK);
  }

  async subscribe(topic: string, qos: 0 | 1, onPayload: (payload: string) => void): Promise<void> {
    this.#onPayload = onPayload;
    const body = Buffer.concat([Buffer.from([0, 1]), text(topic), Buffer.from([qos])]);
    await this.#exchange(8, 2, body, SUBACK);
  }

  /** With QoS 1; its acknowledgement is not waited for. */
  publish(topic: string, payload: string): void {
    const body = Buffer.concat([text(topic), Buffer.from([0, 1]), Buffer.from(payload, "latin1")]);
    this.#send(PUBLISH, 2, body);
  }

  close(): Promise<void> {
    this.#onGone = () => undefined;
    return closeRaw(this.#socket);
  }

  #exchange(type: number, flags: number, body: Buffer, answer: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onGone = reject;
      this.#onAnswer = (got) => {
        if (got === answer) resolve();
      };
      this.#send(type, flags, body);
    });
  }

  #send(type: number, flags: number, body: Buffer): void {
    const length =
      body.length < 128 ? [body.length] : [(body.length % 128) | 128, body.length >> 7];
    this.#socket?.write(Buffer.concat([Buffer.from([(type << 4) | flags, ...length]), body]));
  }

  #take(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const [start, end] = bordersOf(all, at);
      if (end > all.length) break;
      this.#packet(all[at] ?? 0, all.subarray(start, end));
      at = end;
    }
    // A copy: what was read is overwritten by what is read next.
    this.#rest = Buffer.from(all.subarray(at));
  }

  #packet(first: number, body: Buffer): void {
    const type = first >> 4;
    if (type !== PUBLISH) {
      this.#onAnswer(type);
      return;
    }
    const topicEnd = 2 + body.readUInt16BE(0);
    const isConfirmed = (first & 6) !== 0;
    const start = isConfirmed ? topicEnd + 2 : topicEnd;
    this.#onPayload(body.toString("latin1", start));
    if (isConfirmed)
      this.#socket?.write(Buffer.from([64, 2, body[topicEnd] ?? 0, body[topicEnd + 1] ?? 0]));
  }
}

/** Where the body of the packet at a place begins and ends; beyond the bytes when they are not all there. */
function bordersOf(bytes: Buffer, at: number): readonly [start: number, end: number] {
  let length = 0;
  for (let index = 0; at + 1 + index < bytes.length; index += 1) {
    const byte = bytes[at + 1 + index] ?? 0;
    length |= (byte & 127) << (7 * index);
    if (byte < 128) return [at + 2 + index, at + 2 + index + length];
  }
  return [bytes.length, Number.POSITIVE_INFINITY];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
