import mqtt, { type MqttClient } from "mqtt";
import type { Mosquitto } from "../support/mosquitto.js";
import { WaitingList } from "../support/waiting-list.js";

export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** The user properties of MQTT 5. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Somebody at a broker who publishes, and who notes everything that is published there. */
export class Witness implements AsyncDisposable {
  readonly #client: MqttClient;
  readonly #heard = new WaitingList<Published>();

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (topic, payload, { retain, properties }) => {
      const own = { ...properties?.userProperties };
      this.#heard.add({ topic, payload: payload.toString(), retain, properties: own });
    });
  }

  /** @param filter - what it listens to */
  static async at(broker: Mosquitto, filter: string): Promise<Witness> {
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    const witness = new Witness(client);
    await client.subscribeAsync(filter, { qos: 1, rap: true });
    return witness;
  }

  get heard(): readonly Published[] {
    return this.#heard.all;
  }

  async publish(topic: string, payload: string, retain = false): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1, retain });
  }

  /** Resolves with those of the published messages that fit, as soon as there are so many. */
  hears(fits: (one: Published) => boolean, count = 1, msMax?: number): Promise<Published[]> {
    return this.#heard.until(
      (all) => {
        const fitting = all.filter(fits);
        return fitting.length >= count ? fitting : undefined;
      },
      `the published message ${count}`,
      msMax,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync();
  }
}
