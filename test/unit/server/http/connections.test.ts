import { strict as assert } from "node:assert";
import { Socket } from "node:net";
import { Connections } from "../../../../src/server/http/connections.js";
import type { HttpReply } from "../../../../src/server/http/http-reply.js";
import { VirtualClock } from "../virtual-clock.js";

const KEEP_ALIVE_MS = 1_000;

function connectionsOf(clock = new VirtualClock()): Connections {
  return new Connections({
    perAddressMax: 10,
    unbounded: new Set(),
    isTls: false,
    idleMsMax: KEEP_ALIVE_MS,
    checkIntervalMs: 100,
    clock,
  });
}

/** An answer of which so many bytes wait for their reader. */
const waiting = (queuedBytes: number): HttpReply =>
  ({ queuedBytes, isUnasked: false, closed: () => undefined }) as unknown as HttpReply;

describe("the connections of the local server", () => {
  it("look at a request behind others once enough of their answers was read, in its turn", () => {
    const connections = connectionsOf();
    const socket = new Socket();
    connections.add(socket);
    const [first, second] = [waiting(100_000), waiting(100_000)];
    const looked: string[] = [];
    const look = (name: string): void => connections.whenRead(socket, () => looked.push(name));
    connections.addReply(socket, first);
    look("alone");
    connections.addReply(socket, second);
    look("second");
    look("third");
    assert.deepEqual(looked, ["alone"]);
    connections.removeReply(socket, first);
    assert.deepEqual(looked, ["alone", "second", "third"]);
    connections.removeReply(socket, second);
    connections.destroyAll();
  });

  it("look at nothing behind a request that ends its connection", () => {
    const connections = connectionsOf();
    const socket = new Socket();
    connections.add(socket);
    assert.equal(connections.addReply(socket, waiting(0)), true);
    connections.setLast(socket);
    assert.equal(connections.addReply(socket, waiting(0)), false);
    connections.destroyAll();
  });

  it("end when nothing was asked for a while, whatever else came, and not while an answer is under way", () => {
    const clock = new VirtualClock();
    const connections = connectionsOf(clock);
    const [idle, busy] = [new Socket(), new Socket()];
    connections.add(idle);
    connections.add(busy);
    const reply = waiting(0);
    connections.addReply(busy, reply);
    clock.advance(KEEP_ALIVE_MS + 200);
    assert.deepEqual([idle.destroyed, busy.destroyed], [true, false]);
    connections.removeReply(busy, reply);
    clock.advance(KEEP_ALIVE_MS - 1);
    assert.equal(busy.destroyed, false);
    clock.advance(200);
    assert.equal(busy.destroyed, true);
  });
});
