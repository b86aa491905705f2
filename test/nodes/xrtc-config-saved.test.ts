import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PATHS } from "../../src/index.js";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";
import { catchAll, sink } from "./flows.js";
import { badge, type Flow, node, start, taken, untaken } from "./runtime.js";
import { variables } from "./variables.js";

/** A flow file as the first version saved it: each field that its nodes had, and none that came later. */
const saved = JSON.parse(
  readFileSync(join(__dirname, "fixtures/first-version.json"), "utf8"),
) as Flow;

const credentials = { accountId: ACCOUNT_ID, apiKey: API_KEY };

describe("A flow file that the first version of the package saved", () => {
  it("holds no secret, and nothing that the first version did not have", () => {
    const text = JSON.stringify(saved);
    assert.doesNotMatch(text, /apiKey|accountId|credentials|[0-9a-z]{32}/i);
    assert.ok(
      saved.filter(({ type }) => type.startsWith("xrtc")).every((each) => "version" in each),
    );
  });

  it("loads and works", async () => {
    await using service = await startService({ limits: { loginIntervalMsMin: 0 } });
    const { baseUrl } = service;
    await using _variables = variables({
      XRTC_FIXTURE_URL: baseUrl,
      XRTC_FIXTURE_URL_LOGIN: baseUrl + PATHS.login,
      XRTC_FIXTURE_URL_SET: baseUrl + PATHS.set,
      XRTC_FIXTURE_URL_GET: baseUrl + PATHS.get,
    });
    const flow = [...saved, sink("k1"), sink("k2"), sink("k3"), ...catchAll].map((part) =>
      part.type === "tab" || part.type === "xrtc-config"
        ? part
        : { ...part, z: "a100000000000001" },
    );
    await start(flow, { a100000000000004: credentials, a100000000000005: credentials });
    await badge("a100000000000008", { fill: "green" });
    node("a100000000000007").receive({ payload: { number: 1 } });
    const [first] = await taken("k1", 1);
    assert.deepEqual([first?.["topic"], first?.["payload"]], ["firststeps", { number: 1 }]);

    node("a100000000000009").receive({ topic: "hall", payload: "aGVsbG8=" });
    const [third] = await taken("k3", 1);
    assert.deepEqual([third?.["portalid"], third?.["payload"]], ["hall", "aGVsbG8="]);
    const [second] = await taken("k2", 1);
    assert.deepEqual([second?.["portalid"], second?.["payload"]], ["hall", Buffer.from("hello")]);
    assert.equal(untaken("caught"), 0);
  });
});
