/** A process that sets items, as many as are acknowledged. */

import { MqttSetter } from "../setters/mqtt.js";
import { RedisSetter } from "../setters/redis.js";
import type { Setter } from "../setters/setter.js";
import { XrtcSetter } from "../setters/xrtc.js";
import { answer, answerQuestions, endWithParent, fail, task } from "./child.js";

export type SetterKind = "xrtc" | "redis" | "mqtt";

export interface SetterTask {
  readonly setter: SetterKind;
  readonly port: number;
  readonly payloadBytes: number;
}

/** So many items in a request, so many requests under way, for so long. */
export interface SetQuestion {
  readonly itemsPerRequest: number;
  readonly requestsMax: number;
  readonly seconds: number;
}

export interface SetAnswer {
  readonly items: number;
  readonly seconds: number;
  /** Requests that were not acknowledged. */
  readonly failed: number;
  /** Items that are acknowledged and that the server does not know of, since the start. */
  readonly lost: number;
}

function setterOf({ setter, port }: SetterTask): Setter {
  switch (setter) {
    case "xrtc":
      return new XrtcSetter(port);
    case "redis":
      return new RedisSetter(port);
    case "mqtt":
      return new MqttSetter(port);
    default:
      return setter satisfies never;
  }
}

const given = task() as SetterTask;
const setter = setterOf(given);
const payload = "x".repeat(given.payloadBytes);
let acknowledged = 0;

async function measure({ itemsPerRequest, requestsMax, seconds }: SetQuestion): Promise<SetAnswer> {
  const payloads = Array.from({ length: itemsPerRequest }, () => payload);
  const before = acknowledged;
  let failed = 0;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const lane = async (): Promise<void> => {
    while (performance.now() < until && failed === 0) {
      try {
        await setter.set(payloads);
        acknowledged += itemsPerRequest;
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: requestsMax }, lane));
  const taken = (performance.now() - startedAt) / 1_000;
  const stored = (await setter.stored()) ?? acknowledged;
  const lost = Math.max(0, acknowledged - stored);
  return { items: acknowledged - before, seconds: taken, failed, lost };
}

endWithParent();
answerQuestions((question) => measure(question as SetQuestion));
void setter.open().then(() => answer({ ready: true }), fail);
