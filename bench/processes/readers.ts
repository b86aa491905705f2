/** A process with many readers and one sender, so that one clock times an item's way to the last of them. */

import { Crowd, type CrowdAnswer, type CrowdTask } from "../wire/crowd.js";
import { answer, answerQuestions, endWithParent, task } from "./child.js";

export type CrowdQuestion =
  /** Closes the readers that are open, and opens so many that wait for what is sent from now on. */
  | { readonly kind: "open"; readonly count: number }
  | { readonly kind: "close" }
  /** Sends so many items, each when the one before has arrived everywhere. */
  | { readonly kind: "send"; readonly count: number };

const crowd = new Crowd(task() as CrowdTask);

endWithParent();
answerQuestions((question) => answerTo(question as CrowdQuestion));
answer({ ready: true });

async function answerTo(question: CrowdQuestion): Promise<CrowdAnswer> {
  switch (question.kind) {
    case "open":
      await crowd.open(question.count);
      return crowd.answer([]);
    case "close":
      await crowd.close();
      return crowd.answer([]);
    case "send":
      return crowd.answer(await crowd.send(question.count));
    default:
      return question satisfies never;
  }
}
