import assert from "node:assert/strict";
import { CONFIG_RANGES } from "../../nodes/contract/ranges.js";
import { type PresetChoice, valuesWhenBlank } from "../../nodes/editor/presets.js";
import { optionsSchema } from "../../src/client/options.js";
import { LIMITS } from "../../src/protocol/limits.js";

const CHOICE: PresetChoice = {
  limits: "auto",
  service: "hosted",
  url: "",
  serverPreset: "",
  requestItemsMax: "",
};
const values = (choice: Partial<PresetChoice>) => valuesWhenBlank({ ...CHOICE, ...choice });
const rate = (choice: Partial<PresetChoice>) => values(choice).requestsPerSecondMax;

const HOSTED = LIMITS.hosted.requestsPerSecondMax;
const LOCAL = LIMITS.local.requestsPerSecondMax;

describe("what a blank number of a configuration stands for", () => {
  it("is there for every number", () => {
    assert.deepEqual(new Set(Object.keys(values({}))), new Set(Object.keys(CONFIG_RANGES)));
  });

  it("is the value of the preset that was chosen, whatever the service", () => {
    assert.equal(rate({ limits: "local" }), LOCAL);
    assert.equal(rate({ limits: "hosted", service: "custom", url: "http://localhost" }), HOSTED);
  });

  it("is that of the service where the limits are automatic", () => {
    assert.equal(rate({}), HOSTED);
    assert.equal(rate({ service: "local" }), LOCAL);
    assert.equal(rate({ service: "local", serverPreset: "hosted" }), HOSTED);
    assert.equal(rate({ service: "custom", url: "https://example.org/v1" }), LOCAL);
    assert.equal(rate({ service: "custom", url: "https://eu.xrtc.org/v1" }), HOSTED);
    assert.equal(rate({ service: "urls", url: "https://notxrtc.org/v1/item/set" }), LOCAL);
    assert.equal(rate({ service: "custom", url: "https:" }), LOCAL);
  });

  it("is no limit where the preset has none", () => {
    assert.equal(values({}).monthRequestsMax, LIMITS.hosted.requestsPerMonthMax);
    assert.equal(values({ limits: "local" }).monthRequestsMax, undefined);
  });

  it("follows the items of a request for those of a batch", () => {
    assert.equal(values({}).batchItemsMax, LIMITS.hosted.requestItemsMax);
    assert.equal(values({ requestItemsMax: "7" }).batchItemsMax, 7);
    assert.equal(values({ requestItemsMax: "many" }).batchItemsMax, LIMITS.hosted.requestItemsMax);
  });

  it("is the client's own default for the attempts of a message", () => {
    const { attemptsMax } = optionsSchema.parse({});
    assert.equal(values({}).attemptsMax, attemptsMax);
    assert.equal(values({}).retrySecondsMax, undefined);
  });
});
