import assert from "node:assert/strict";
import { ClientRegistry } from "../../../nodes/lib/client-registry.js";
import {
  Connection,
  type ConnectionOptions,
  type Destination,
  READY_MS_MAX,
} from "../../../nodes/lib/connection.js";
import type { ServerState } from "../../../nodes/lib/local-server.js";
import { urlsBelow } from "../../../nodes/lib/target.js";
import { Broadcast, isXrtcError, LIMITS, Redacted, XrtcError } from "../../../src/index.js";
import { ACCOUNT_ID, API_KEY } from "../../support/service.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const target = (limits: "hosted" | "local") => ({
  ...urlsBelow("http://127.0.0.1:9/v1"),
  accountId: ACCOUNT_ID,
  apiKey: new Redacted(API_KEY),
  limits,
  allowInsecure: false,
});

function setUp() {
  const clock = new VirtualClock();
  const clients = new ClientRegistry({ clock, onError: (thrown) => assert.fail(String(thrown)) });
  const connect = (destination: Destination, owner = "test"): Connection =>
    new Connection({ clients, clock, destination, owner } satisfies ConnectionOptions);
  const fixed = (limits: "hosted" | "local", owner?: string): Connection =>
    connect({ kind: "fixed", target: () => target(limits) }, owner);
  const listeners = (): number => (clients.freed as Broadcast<number>).listenerCount;
  return { clock, clients, connect, fixed, listeners };
}

/** A server of the same Node-RED whose state a test sets. */
function fakeServer(isDeployed = true) {
  const state = new Broadcast<ServerState>({ kind: "absent" });
  const destination: Destination = {
    kind: "server",
    watch: (listener) => state.subscribe(listener),
    isDeployed: () => isDeployed,
    target: () => target("local"),
  };
  const listen = (): void =>
    state.set({
      kind: "listening",
      url: "http://127.0.0.1:9/v1",
      limits: LIMITS.local,
      credentials: { accountId: ACCOUNT_ID, apiKey: new Redacted(API_KEY) },
      place: "127.0.0.1:9",
      stats: () => assert.fail(),
      trouble: () => assert.fail(),
      onNextRequest: () => assert.fail(),
      isRemote: false,
    });
  return { state, destination, listen };
}

const never = new AbortController().signal;

describe("a connection", () => {
  it("makes nothing before somebody asks, and lets go of everything when it closes", async () => {
    const { clock, clients, fixed } = setUp();
    const connection = fixed("local");
    assert.equal(clients.size, 0);
    await connection.client(never);
    assert.equal(clients.size, 1);
    connection.close();
    await clock.advance(10_000);
    await clients.settled();
    assert.deepEqual([clients.size, clock.timerCount], [0, 0]);
  });

  it("gives all config nodes of one key the same client", async () => {
    const { fixed, clients } = setUp();
    const [one, two] = [fixed("local"), fixed("local")];
    assert.equal(await one.client(never), await two.client(never));
    assert.equal(clients.size, 1);
    for (const connection of [one, two]) connection.close();
    clients.endHeld();
    await clients.settled();
  });

  it("is refused while another one has the key with other limits, and ready when that has gone", async () => {
    const { fixed, clients, listeners } = setUp();
    const [first, second] = [fixed("hosted", "First"), fixed("local", "Second")];
    await first.client(never);
    await assert.rejects(
      second.client(never),
      (error) => isXrtcError(error, "XRTC_OPTIONS") && error.message.includes('"First"'),
    );
    assert.equal(second.status.value.kind, "refused");
    first.close();
    assert.equal((await second.client(never)).limits, LIMITS.local);
    assert.equal(listeners(), 0);
    second.close();
    clients.endHeld();
    await clients.settled();
  });

  it("that leads nowhere says why to everybody, and waits for nothing", async () => {
    const { connect, listeners } = setUp();
    const cause = new XrtcError("XRTC_CREDENTIALS_MISSING", "account id: none is given");
    const connection = connect({
      kind: "fixed",
      target: () => {
        throw cause;
      },
    });
    await assert.rejects(connection.client(never), cause);
    assert.deepEqual(connection.status.value, { kind: "refused", cause, retryInMs: Infinity });
    assert.equal(listeners(), 0);
  });

  it("lets callers wait for its server, follows it when it moves, and gives up in time", async () => {
    const { clock, clients, connect } = setUp();
    const { state, destination, listen } = fakeServer();
    const connection = connect(destination);
    const early = connection.client(never);
    assert.equal(connection.status.value.kind, "connecting");
    listen();
    const client = await early;
    assert.equal(await connection.client(never), client);
    state.set({ kind: "absent" });
    assert.equal(connection.state.value.kind, "pending");
    const late = connection.client(never);
    const refused = assert.rejects(late, (error) => isXrtcError(error, "XRTC_TIMEOUT"));
    await clock.advance(READY_MS_MAX);
    await refused;
    connection.close();
    assert.equal(state.listenerCount, 0);
    clients.endHeld();
    await clients.settled();
    assert.equal(clock.timerCount, 0);
  });

  it("says that its server is missing when no such node is deployed", async () => {
    const { connect } = setUp();
    const connection = connect(fakeServer(false).destination);
    await assert.rejects(connection.client(never), (error) =>
      isXrtcError(error, "XRTC_SERVER_MISSING"),
    );
  });

  it("stops to wait when the caller gives up, or when it closes", async () => {
    const { clock, connect } = setUp();
    const connection = connect(fakeServer().destination);
    const abort = new AbortController();
    const given = assert.rejects(connection.client(abort.signal), /enough/);
    abort.abort(new Error("enough"));
    await given;
    await assert.rejects(connection.client(abort.signal), /enough/);
    const left = assert.rejects(connection.client(never), (error) =>
      isXrtcError(error, "XRTC_CLOSED"),
    );
    connection.close();
    await left;
    assert.equal(clock.timerCount, 0);
  });
});
