import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Node, NodeMessageInFlow } from "node-red";
import { CLOSE_MS_MAX, onClose, onInput } from "../../../nodes/lib/handlers.js";
import { VirtualClock } from "../../support/virtual-clock.js";

/** A node as far as its handlers go. */
class BareNode extends EventEmitter {
  readonly errors: unknown[] = [];

  error(error: unknown): void {
    this.errors.push(error);
  }
}

const bare = (): { node: Node; errors: unknown[]; emitter: EventEmitter } => {
  const node = new BareNode();
  return { node: node as unknown as Node, errors: node.errors, emitter: node };
};

const message: NodeMessageInFlow = { _msgid: "m1", payload: "x" };

/** What `done` was called with, once it was called; waits a turn longer, so that a second call shows. */
async function settlementsOf(handle: () => Promise<void>): Promise<unknown[]> {
  const { node, emitter } = bare();
  const calls: unknown[] = [];
  onInput(node, handle);
  await new Promise<void>((resolve) => {
    emitter.emit(
      "input",
      message,
      () => undefined,
      (error?: unknown) => {
        calls.push(error);
        setImmediate(resolve);
      },
    );
  });
  return calls;
}

describe("an input", () => {
  it("is done once when its handler resolves", async () => {
    assert.deepEqual(await settlementsOf(async () => undefined), [undefined]);
  });

  it("is done once with the error when its handler rejects", async () => {
    const error = new Error("refused");
    assert.deepEqual(await settlementsOf(() => Promise.reject(error)), [error]);
  });

  it("is done once with the error when its handler throws before it returns a promise", async () => {
    const error = new Error("at once");
    const settlements = await settlementsOf(() => {
      throw error;
    });
    assert.deepEqual(settlements, [error]);
  });

  it("is done with a real Error even when something else was thrown", async () => {
    const [settlement] = await settlementsOf(() => {
      // oxlint-disable-next-line only-throw-error
      throw "text";
    });
    assert.ok(settlement instanceof Error);
    assert.equal(settlement.message, "text");
  });
});

const closeOf = async (
  close: (removed: boolean) => Promise<void> | void,
  clock = new VirtualClock(),
) => {
  const { node, errors, emitter } = bare();
  let calls = 0;
  onClose(node, clock, close);
  const done = new Promise<void>((resolve) => {
    emitter.emit("close", true, async () => {
      calls += 1;
      resolve();
    });
  });
  return { done, errors, calls: () => calls, clock };
};

describe("a close", () => {
  it("is done when what it waits for is done, and leaves no timer", async () => {
    const seen: boolean[] = [];
    const { done, errors, clock } = await closeOf((removed) => void seen.push(removed));
    await done;
    assert.deepEqual(seen, [true]);
    assert.deepEqual(errors, []);
    assert.equal(clock.timerCount, 0);
  });

  it("reports what goes wrong in it, which Node-RED would swallow", async () => {
    const { done, errors } = await closeOf(() => Promise.reject(new Error("stuck")));
    await done;
    assert.match(String(errors[0]), /stuck/);
  });

  it("that does not end is given up long before Node-RED would, and says so", async () => {
    const { done, errors, clock } = await closeOf(() => new Promise(() => undefined));
    await clock.advance(CLOSE_MS_MAX);
    await done;
    assert.match(String(errors[0]), /longer than 8 s/);
  });
});
