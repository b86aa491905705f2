import { strict as assert } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { stableMemoryBytes } from "../support/heap.js";
import { FAMILIES } from "./raw/families.js";
import { kept, type RawFamily, type RawForm } from "./raw/form.js";
import { assertNothingHidden, prepare, send } from "./raw/run.js";
import { Stage } from "./server-raw.js";

/** What the issue of raw forms is measured by; there are more than twice as many. */
const FORMS_MIN = 300;
const AT_A_TIME = 16;
const GROWTH_BYTES_MAX = 4_000_000;

// So many items as every form sets, and no more, so that memory can be compared.
const LIMITS = { loginIntervalMsMin: 0, ringItemsMax: 50 } as const;

/** For what never ends by itself: what is ten seconds is one here. */
const QUICK = { headersTimeoutMs: 1_000, requestTimeoutMs: 1_200, checkIntervalMs: 20 } as const;

/** A good request and nothing else. */
const NOTHING = kept("nothing but a good request", "", []);

async function check(stage: Stage, form: RawForm, session: string): Promise<void> {
  const { statuses, isClosed, isProbeAnswered } = await send(stage.server, form, session);
  assert.equal(isProbeAnswered, !isClosed, form.name);
  const got = `${statuses.join(", ")} ${isClosed ? "closed" : "kept"}`;
  const expected = [form, form.or ?? form].map(
    ({ answers, end }) => `${answers.join(", ")} ${end}`,
  );
  assert.ok(expected.includes(got), `${form.name}: ${got}, and not ${expected[0]}`);
  // And somebody else is served.
  const after = await send(stage.server, NOTHING, session);
  assert.deepEqual(after, { statuses: [], isProbeAnswered: true, isClosed: false }, form.name);
}

async function checkAll(stage: Stage, forms: readonly RawForm[], session: string): Promise<void> {
  const left = forms.values();
  const work = async (): Promise<void> => {
    for (const form of left) await check(stage, form, session);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  await assertNothingHidden(stage, session);
  while (stage.server.stats.sockets > 0) await setImmediate();
  assert.equal(stage.server.stats.waitingGets, 0);
}

const isAlone = (form: RawForm): boolean => form.isAlone === true;
const ALONE = FAMILIES.flatMap(({ forms }) => forms.filter(isAlone));
const othersOf = ({ forms }: RawFamily): readonly RawForm[] =>
  forms.filter((form) => !isAlone(form));

describe("the local server, told anything at all over a socket", function () {
  this.timeout(30_000);
  let stage: Stage;
  let session: string;

  before(async () => {
    stage = await Stage.open({ limits: LIMITS });
    session = await prepare(stage);
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  it("is told so in at least 300 forms, each once", () => {
    const names = FAMILIES.flatMap(({ kind, forms }) =>
      forms.map(({ name }) => `${kind}: ${name}`),
    );
    assert.ok(names.length >= FORMS_MIN, `${names.length} forms`);
    assert.equal(new Set(names).size, names.length);
  });

  for (const family of FAMILIES) {
    const forms = othersOf(family);
    it(`answers each request once and serves on: ${forms.length} forms of ${family.kind}`, async () => {
      await checkAll(stage, forms, session);
    });
  }

  it(`ends what does not end by itself: ${ALONE.length} forms`, async () => {
    await using quick = await Stage.open({ limits: LIMITS, bounds: QUICK });
    await checkAll(quick, ALONE, await prepare(quick));
  });

  it("holds no more after all of them came again than before", async () => {
    const again = await prepare(stage);
    const before = await stableMemoryBytes();
    for (const family of FAMILIES) await checkAll(stage, othersOf(family), again);
    const grown = (await stableMemoryBytes()) - before;
    assert.ok(grown < GROWTH_BYTES_MAX, `${grown} bytes`);
  });
});
