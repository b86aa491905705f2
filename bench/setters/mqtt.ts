import { loadMqtt, type MqttClient } from "../contenders/mqtt.js";
import type { Setter } from "./setter.js";

const TOPIC = "bench/items";
const QOS = { qos: 1 } as const;

/** mqtt.js with QoS 1. With nobody subscribed the broker acknowledges what it then throws away. */
export class MqttSetter implements Setter {
  readonly #port: number;
  #client: MqttClient | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async open(): Promise<void> {
    const mqtt = loadMqtt();
    if (mqtt === undefined) throw new Error("mqtt.js is not installed");
    this.#client = await mqtt.connectAsync(`mqtt://127.0.0.1:${this.#port}`, {
      reconnectPeriod: 0,
    });
    // With Nagle's algorithm a packet would wait for the acknowledgement of the one before it.
    this.#client.stream.setNoDelay?.(true);
  }

  set(payloads: readonly string[]): Promise<unknown> {
    return Promise.all(payloads.map((payload) => this.#publish(payload)));
  }

  stored(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    await this.#client?.endAsync(true);
  }

  #publish(payload: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client?.publish(TOPIC, payload, QOS, (error) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }
}
