import { strict as assert } from "node:assert";
import type { XrtcServerOptions } from "../../src/server/index.js";
import { CASES } from "./cases/index.js";
import { startLocal } from "./local-target.js";
import { Run } from "./run.js";

/** What a server does otherwise, and the cases that find it out. */
const DEPARTURES: readonly {
  readonly what: string;
  readonly options: Partial<XrtcServerOptions>;
  readonly found: readonly string[];
}[] = [
  {
    what: "ends a key's first session at its second login",
    options: { secondLogin: "end" },
    found: ["leaves a key's first session alone when the key logs in again"],
  },
  {
    what: "takes the reference time for the time before",
    options: { dialect: { reference: "exclusive" } },
    found: ["starts at the reference time, whatever was read before"],
  },
  {
    what: "ignores the reference time",
    options: { dialect: { reference: "ignored" } },
    found: ["starts at the reference time, whatever was read before"],
  },
  {
    what: "loses what does not fit into a line",
    options: { dialect: { fifoOverflow: "skip" } },
    found: [
      "overwrites a portal's oldest items when its ring is full",
      "brings oldest first in the next line what does not fit into one",
    ],
  },
  {
    what: "offers fewer extensions than it is said to",
    options: { extensions: { idempotency: false } },
    found: [
      "names the extensions that it offers, and no others",
      "stores a set once whose key and body come again, and answers as before",
      "refuses a known key with another body",
    ],
  },
  {
    what: "believes whoever says where a request came from",
    options: { trustedProxies: ["127.0.0.1", "127.0.0.2"] },
    found: ["believes no X-Forwarded-For of a stranger"],
  },
];

describe("The conformance suite finds a server that", function () {
  this.timeout(60_000);

  for (const { what, options, found } of DEPARTURES) {
    it(what, async () => {
      const { target, close } = await startLocal(what, "local", () => options);
      const cases = CASES.filter(({ name }) => found.includes(name));
      assert.equal(cases.length, found.length);
      const run = new Run(target, cases);
      try {
        for (const { name } of cases) {
          assert.equal((await run.result(name)).kind, "failed", name);
        }
      } finally {
        await run.close();
        await close();
      }
    });
  }
});
