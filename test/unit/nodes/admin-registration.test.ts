import assert from "node:assert/strict";
import { Refusal } from "../../../nodes/lib/admin-reply.js";
import {
  REGISTRATION_MS_MAX,
  REGISTRATIONS_MAX,
  Registrations,
} from "../../../nodes/lib/admin-registration.js";
import { PATHS, type RegistrationOptions } from "../../../src/index.js";
import { type Answer, ScriptedTransport } from "../../support/scripted-transport.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const STARTED: Answer = { body: ['{"registrationtoken":"token of the service"}'] };
const FINISHED: Answer = { body: ['{"accountid":"AC1","apikey":"k","apikeyname":"n"}'] };
const WRONG_CODE: Answer = {
  status: 400,
  body: ['{"error":{"errorgroup":3,"errorcode":34,"errormessage":"wrong"}}'],
};

function setUp(finish: () => Answer | undefined = () => FINISHED) {
  const clock = new VirtualClock();
  const transport = new ScriptedTransport(({ url }) =>
    url.endsWith(PATHS.registrationStart) ? STARTED : finish(),
  );
  let ids = 0;
  const registrations = new Registrations({ clock, newId: () => `id${(ids += 1)}` });
  const options: RegistrationOptions = { ports: { clock, transport } };
  return { clock, registrations, start: () => registrations.start("me@example.org", options) };
}

const refused = (status: number) => (error: unknown) =>
  error instanceof Refusal && error.status === status && error.code === "XRTC_REGISTRATION";

describe("registrations that were begun in a dialog", () => {
  it("show no token of the service, and give account and key once", async () => {
    const { clock, registrations, start } = setUp();
    const id = await start();
    assert.equal(id, "id1");
    assert.deepEqual(await registrations.finish(id, "123"), { accountId: "AC1", apiKey: "k" });
    await assert.rejects(registrations.finish(id, "123"), refused(404));
    assert.deepEqual([registrations.size, clock.timerCount], [0, 0]);
  });

  it("can be tried again after a wrong code", async () => {
    const answers = [WRONG_CODE, FINISHED];
    const { registrations, start } = setUp(() => answers.shift());
    const id = await start();
    await assert.rejects(registrations.finish(id, "1"), { code: "XRTC_REGISTRATION" });
    assert.equal((await registrations.finish(id, "2")).apiKey, "k");
  });

  it("are forgotten after a quarter of an hour", async () => {
    const { clock, registrations, start } = setUp();
    const id = await start();
    await clock.advance(REGISTRATION_MS_MAX);
    assert.equal(registrations.size, 0);
    await assert.rejects(registrations.finish(id, "123"), refused(404));
  });

  it("are no more than eight: one more takes the place of the oldest", async () => {
    const { clock, registrations, start } = setUp();
    for (let count = 0; count <= REGISTRATIONS_MAX; count += 1) await start();
    assert.equal(registrations.size, REGISTRATIONS_MAX);
    assert.equal(clock.timerCount, REGISTRATIONS_MAX);
    await assert.rejects(registrations.finish("id1", "123"), refused(404));
    await registrations.finish("id2", "123");
  });

  it("are started one at a time, and finished one at a time", async () => {
    const { clock, registrations, start } = setUp(() => undefined);
    const first = start();
    await assert.rejects(start(), refused(409));
    const id = await first;
    const finishing = registrations.finish(id, "123");
    await assert.rejects(registrations.finish(id, "123"), refused(409));
    await Promise.all([assert.rejects(finishing, { code: "XRTC_TIMEOUT" }), clock.advance(10_000)]);
    assert.equal(registrations.size, 1);
  });
});
