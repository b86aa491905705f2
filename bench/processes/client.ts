/** A process with a sender and a receiver of one contender, so that one clock times both. */

import { BareHttpContender } from "../contenders/bare-http.js";
import { BareLoopContender } from "../contenders/bare-loop.js";
import type { Address, Contender } from "../contenders/contender.js";
import { MqttContender } from "../contenders/mqtt.js";
import { SdkContender, type SdkOptions } from "../contenders/sdk.js";
import { runPhase, type Figures, type Phase } from "../phases.js";
import { Tally, type Faults } from "../tally.js";
import { answer, endWithParent, fail, task } from "./child.js";

export type ClientKind =
  | { readonly kind: "sdk"; readonly options: SdkOptions }
  | { readonly kind: "bare loop"; readonly options: { readonly root: string } }
  | { readonly kind: "bare http" }
  | { readonly kind: "mqtt"; readonly noDelay: boolean };

export interface ClientTask {
  readonly client: ClientKind;
  readonly address: Address;
  readonly phases: readonly Phase[];
  readonly payloadBytes: number;
}

export interface ClientAnswer {
  readonly figures: Figures;
  readonly items: number;
  readonly faults: Faults;
}

function contenderOf({ client, address }: ClientTask): Contender {
  switch (client.kind) {
    case "sdk":
      return new SdkContender(address, client.options);
    case "bare loop":
      return new BareLoopContender(address, client.options);
    case "bare http":
      return new BareHttpContender(address);
    case "mqtt":
      return new MqttContender(address, client);
    default:
      return client satisfies never;
  }
}

async function run(given: ClientTask): Promise<ClientAnswer> {
  const contender = contenderOf(given);
  const tally = new Tally(given.payloadBytes);
  await contender.open(tally.receive);
  let figures: Figures = {};
  for (const phase of given.phases) {
    figures = { ...figures, ...(await runPhase(phase, contender, tally)) };
  }
  const { sent, faults } = tally;
  await contender.close();
  return { figures, items: sent, faults };
}

endWithParent();
void run(task() as ClientTask).then(answer, fail);
