/** Sets, as many as are acknowledged. */

import { PAYLOAD_BYTES } from "../plan.js";
import type { SetAnswer, SetQuestion, SetterTask } from "../processes/setter.js";
import { start } from "../processes.js";
import type { ServerEntry } from "./plan.js";
import type { Found, Stage } from "./run.js";

const MARGIN_MS = 20_000;
/** What comes before each measurement, so that both sides' code is warm, in shares of its time. */
const WARM_UP = 0.5;
/** What comes before the first one: as many requests as it takes for their code to be compiled. */
const FIRST_WARM_UP = { itemsPerRequest: 1, requestsMax: 32 };

export async function sets(
  { server, setter: kind, ways, seconds }: Extract<ServerEntry, { section: "sets" }>,
  stage: Stage,
): Promise<Found> {
  const served = await stage.serve(server);
  const given: SetterTask = { setter: kind, port: served.port, payloadBytes: PAYLOAD_BYTES };
  const setter = stage.add(start("setter", given));
  await setter.next(MARGIN_MS);
  const ask = (question: SetQuestion): Promise<SetAnswer> =>
    setter.ask(question, question.seconds * 1_000 + MARGIN_MS);
  const figures: Record<string, number> = {};
  const faults = { lost: 0, repeated: 0, disordered: 0, failed: 0 };
  let { items } = await ask({ ...FIRST_WARM_UP, seconds });
  for (const { name, itemsPerRequest, requestsMax } of ways) {
    const way = { itemsPerRequest, requestsMax };
    const warmUp = await ask({ ...way, seconds: seconds * WARM_UP });
    const cpuBefore = served.cpuMicros();
    const measured = await ask({ ...way, seconds });
    const cpu = served.cpuMicros() - cpuBefore;
    figures[name] = measured.items / measured.seconds;
    figures[`${name}, µs`] = cpu / measured.items;
    items += warmUp.items + measured.items;
    faults.failed += warmUp.failed + measured.failed;
    faults.lost = measured.lost;
  }
  return { figures, items, faults };
}
