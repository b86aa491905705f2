import type { Faults } from "../tally.js";
import {
  type ProtocolName,
  protocolOf,
  type Protocol,
  type WireReader,
  type WireSender,
} from "./protocols.js";

export interface CrowdTask {
  readonly protocol: ProtocolName;
  readonly port: number;
  readonly payloadBytes: number;
}

export interface CrowdAnswer {
  readonly readers: number;
  /** Milliseconds until the last reader had the item, for each item of the question. */
  readonly lastMs: readonly number[];
  /** Of all items so far: each has to come to each reader once, in order. */
  readonly faults: Faults;
  /** Items that readers had to receive so far, one for each reader. */
  readonly deliveries: number;
}

/** Readers that are being opened at the same time. */
const OPENING_MAX = 64;
/** Milliseconds for an item to be everywhere. */
const ARRIVAL_MS_MAX = 20_000;
const NUMBER_LENGTH = 12;

/** One sender and any number of readers of the same items. */
export class Crowd {
  readonly #protocol: Protocol;
  readonly #filler: string;
  #sender: WireSender | undefined;
  #readers: WireReader[] = [];
  #channels = 0;
  /** The number of the item that is under way, and how many readers wait for it. */
  #number = -1;
  #awaited = 0;
  #onArrived: () => void = () => undefined;
  #deliveries = 0;
  readonly #faults = { lost: 0, repeated: 0, disordered: 0, failed: 0 };

  constructor({ protocol, port, payloadBytes }: CrowdTask) {
    this.#protocol = protocolOf(protocol, port);
    this.#filler = "x".repeat(payloadBytes - NUMBER_LENGTH);
  }

  answer(lastMs: readonly number[]): CrowdAnswer {
    const { length } = this.#readers;
    return { readers: length, lastMs, faults: this.#faults, deliveries: this.#deliveries };
  }

  /** Opens so many readers of a channel that nobody used before: there is nothing old for them to read. */
  async open(count: number): Promise<void> {
    await this.close();
    this.#channels += 1;
    const channel = `bench${this.#channels}`;
    this.#sender ??= await this.#protocol.openSender();
    const openSome = async (): Promise<void> => {
      while (this.#opening < count) {
        this.#opening += 1;
        this.#readers.push(await this.#protocol.openReader(channel, this.#onPayload()));
      }
    };
    this.#opening = 0;
    await Promise.all(Array.from({ length: Math.min(count, OPENING_MAX) }, openSome));
  }

  #opening = 0;

  async close(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.close()));
  }

  /** Sends items, each when the one before has arrived everywhere. @returns the milliseconds that each took */
  async send(count: number): Promise<readonly number[]> {
    const taken: number[] = [];
    for (let sent = 0; sent < count; sent += 1) taken.push(await this.#sendOne());
    return taken;
  }

  async #sendOne(): Promise<number> {
    this.#number += 1;
    this.#awaited = this.#readers.length;
    this.#deliveries += this.#awaited;
    let timer: NodeJS.Timeout | undefined;
    const arrived = new Promise<number>((resolve) => {
      this.#onArrived = () => resolve(performance.now());
      timer = setTimeout(this.#onArrived, ARRIVAL_MS_MAX);
    });
    const payload = String(this.#number).padStart(NUMBER_LENGTH, "0") + this.#filler;
    const startedAt = performance.now();
    const sent = this.#sender?.send(`bench${this.#channels}`, payload).catch(() => {
      this.#faults.failed += 1;
    });
    const arrivedAt = await arrived;
    clearTimeout(timer);
    await sent;
    this.#faults.lost += this.#awaited;
    return arrivedAt - startedAt;
  }

  /** What one reader does with its items. */
  #onPayload(): (payload: string) => void {
    let latest = this.#number;
    return (payload) => {
      const number = Number(payload.slice(0, NUMBER_LENGTH));
      if (number <= latest) this.#faults.repeated += 1;
      else if (number !== this.#number) this.#faults.disordered += 1;
      else this.#arrive();
      latest = Math.max(latest, number);
    };
  }

  #arrive(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#onArrived();
  }
}
