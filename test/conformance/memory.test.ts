import { startLocal } from "./local-target.js";
import { describeConformance } from "./suite.js";

const withoutIt = (name: string): string => `the server does not offer ${name}`;

describe("conformance of the memory engine", () => {
  describeConformance("The preset local", {
    start: () => startLocal("memory, local", "local"),
    notAsked: {
      "shows nothing of extensions that it does not offer": "the server offers extensions",
    },
  });

  describeConformance("The preset hosted", {
    start: () => startLocal("memory, hosted", "hosted"),
    notAsked: {
      "numbers the items of a portal from 1 without holes": withoutIt("seq"),
      "stores a set once whose key and body come again, and answers as before":
        withoutIt("idempotency"),
      "refuses a known key with another body": withoutIt("idempotency"),
      "applies numbered sets in the order of their numbers": withoutIt("order"),
      "turns a numbered set away whose predecessors do not come, and takes it later":
        withoutIt("order"),
    },
  });
});
