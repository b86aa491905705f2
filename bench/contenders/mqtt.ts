import { createRequire } from "node:module";
import type { Address, Contender } from "./contender.js";

/** What is used of mqtt.js, which need not be installed. */
interface MqttModule {
  connectAsync(url: string, options: object): Promise<MqttClient>;
}

export interface MqttClient {
  readonly stream: { setNoDelay?(on: boolean): void };
  on(event: "message", listener: (topic: string, payload: Buffer) => void): void;
  subscribeAsync(topic: string, options: object): Promise<unknown>;
  publish(
    topic: string,
    payload: string,
    options: object,
    callback: (error?: Error | null) => void,
  ): void;
  endAsync(force: boolean): Promise<void>;
}

const load = createRequire(__filename);

/** mqtt.js, or undefined where it is not installed. */
export function loadMqtt(): MqttModule | undefined {
  try {
    return load("mqtt") as MqttModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

const TOPIC = "bench/items";
const QOS = { qos: 1 } as const;

/** mqtt.js with QoS 1, one connection that publishes and one that subscribes. */
export class MqttContender implements Contender {
  /** The window of both ends; the broker's is set to the same. */
  readonly unconfirmedMax = 1_000;
  readonly unreceivedMax = Number.POSITIVE_INFINITY;
  readonly #address: Address;
  readonly #noDelay: boolean;
  #clients: readonly MqttClient[] = [];
  #publisher: MqttClient | undefined;

  /** @param options.noDelay - switches Nagle's algorithm off; neither mqtt.js nor mosquitto does by itself */
  constructor(address: Address, { noDelay }: { readonly noDelay: boolean }) {
    this.#address = address;
    this.#noDelay = noDelay;
  }

  async open(onItem: (payload: string) => void): Promise<void> {
    const { sendPort, receivePort } = this.#address;
    const subscriber = await this.#connect(receivePort);
    this.#publisher = await this.#connect(sendPort);
    this.#clients = [subscriber, this.#publisher];
    subscriber.on("message", (_topic, payload) => onItem(payload.toString("latin1")));
    await subscriber.subscribeAsync(TOPIC, QOS);
  }

  send(payload: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#publisher?.publish(TOPIC, payload, QOS, (error) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true)));
  }

  async #connect(port: number): Promise<MqttClient> {
    const mqtt = loadMqtt();
    if (mqtt === undefined) throw new Error("mqtt.js is not installed");
    const client = await mqtt.connectAsync(`mqtt://${this.#address.host}:${port}`, {
      reconnectPeriod: 0,
    });
    if (this.#noDelay) client.stream.setNoDelay?.(true);
    return client;
  }
}
