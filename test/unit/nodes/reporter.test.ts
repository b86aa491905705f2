import assert from "node:assert/strict";
import { RefusalReporter } from "../../../nodes/lib/reporter.js";
import { Broadcast, type ClientStatus, XrtcError } from "../../../src/index.js";

function setUp(started = true) {
  const flows = new Broadcast(started);
  const errors: unknown[] = [];
  const node = { error: (error: unknown) => void errors.push(error) };
  return { flows, errors, reporter: new RefusalReporter(node, flows) };
}

const refused = (message = "no"): ClientStatus => ({
  kind: "refused",
  cause: new XrtcError("XRTC_CREDENTIALS_REFUSED", message),
  retryInMs: 900_000,
});

describe("a refusal", () => {
  it("is reported once, however often it is met again", () => {
    const { errors, reporter } = setUp();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      reporter.update({ kind: "connecting" });
      reporter.update(refused());
    }
    assert.equal(errors.length, 1);
  });

  it("is news again after it worked in between, and when it is another one", () => {
    const { errors, reporter } = setUp();
    reporter.update(refused("one"));
    reporter.update(refused("two"));
    reporter.update({ kind: "connected" });
    reporter.update(refused("two"));
    assert.equal(errors.length, 3);
  });

  it("waits until the flows have started, because no Catch node hears it before", () => {
    const { flows, errors, reporter } = setUp(false);
    reporter.update(refused());
    assert.equal(errors.length, 0);
    flows.set(true);
    assert.equal(errors.length, 1);
  });

  it("that passed before the flows had started is none", () => {
    const { flows, errors, reporter } = setUp(false);
    reporter.update(refused());
    reporter.update({ kind: "connecting" });
    flows.set(true);
    assert.deepEqual(errors, []);
  });

  it("is not reported any more, and nothing is listened to, once the node closes", () => {
    const { flows, errors, reporter } = setUp(false);
    reporter.update(refused());
    reporter.close();
    flows.set(true);
    assert.deepEqual(errors, []);
    assert.equal(flows.listenerCount, 0);
  });
});
