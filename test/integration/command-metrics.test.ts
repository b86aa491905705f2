import { strict as assert } from "node:assert";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { XrtcClient } from "../../src/index.js";
import { RunningCommand } from "../support/running-command.js";
import { ACCOUNT_ID, API_KEY, credentials, take } from "../support/service.js";

const OPTIONS = ["--port", "0", "--account", ACCOUNT_ID, "--key", API_KEY];
const OBSERVED = [...OPTIONS, "--metrics", "127.0.0.1:0"];

const adminOf = (running: RunningCommand): Promise<string> =>
  running.printed(/metrics and health on (http:\S+)\n/);

/** The value of a sample. */
function sample(text: string, name: string): number {
  const line = text.split("\n").find((row) => row.startsWith(`${name} `));
  assert.ok(line !== undefined, `there is no ${name}`);
  return Number(line.slice(name.length + 1));
}

/** The status of a request of any form. */
async function statusOf(url: string, method: string, headers = {}): Promise<number> {
  const call = request(url, { method, headers, agent: false }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "close");
  return response.statusCode ?? 0;
}

describe("the metrics of xrtc-server", () => {
  it("tell what the server does, for Prometheus", async () => {
    await using running = new RunningCommand([...OBSERVED, "--limit", "ringItemsMax=2"]);
    const [baseUrl, admin] = [await running.url(), await adminOf(running)];
    await using client = new XrtcClient({ ...credentials, baseUrl });
    const items = client.subscribe({ portals: ["hall"], start: "all" });
    const taken = take(items, 1);
    let text = "";
    do text = await (await fetch(`${admin}/metrics`)).text();
    while (sample(text, "xrtc_waiting_gets") === 0);
    await client.setItems([{ portalId: "hall", payload: "1" }]);
    await taken;
    for (const payload of ["2", "3", "4"]) {
      await client.setItems([{ portalId: "attic", payload }]);
    }
    await fetch(`${baseUrl}/nowhere`, { method: "POST" });
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`x-${at}`, "1"]));
    await fetch(`${baseUrl}/item/set`, { method: "POST", headers: many });
    const response = await fetch(`${admin}/metrics`);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
    text = await response.text();
    assert.equal(sample(text, "xrtc_logins_total"), 1);
    assert.equal(sample(text, "xrtc_items_set_total"), 4);
    assert.equal(sample(text, "xrtc_items_delivered_total"), 1);
    assert.equal(sample(text, "xrtc_ring_overrun_items_total"), 1);
    assert.equal(sample(text, "xrtc_sessions"), 1);
    assert.ok(sample(text, "xrtc_sockets") >= 1);
    assert.equal(sample(text, "xrtc_up"), 1);
    assert.equal(sample(text, 'xrtc_requests_total{call="login",status="200"}'), 1);
    assert.equal(sample(text, 'xrtc_requests_total{call="set",status="200"}'), 4);
    assert.equal(sample(text, 'xrtc_requests_total{call="other",status="404"}'), 1);
    assert.equal(sample(text, 'xrtc_requests_total{call="other",status="431"}'), 1);
    assert.equal(sample(text, "xrtc_set_duration_seconds_count"), 4);
    assert.equal(sample(text, "xrtc_handover_duration_seconds_count"), 1);
    assert.ok(sample(text, "process_resident_memory_bytes") > 0);
    assert.match(text, /xrtc_info\{version="1\.2\.3",preset="local",durability="memory"\} 1/);
    assert.equal(text.includes(ACCOUNT_ID) || text.includes(API_KEY), false);
  });

  it("say whether the server can serve", async () => {
    await using running = new RunningCommand(OBSERVED);
    const response = await fetch(`${await adminOf(running)}/healthz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "ok" });
  });

  it("are no way into the server, and answer nobody else's page", async () => {
    await using running = new RunningCommand(OBSERVED);
    const admin = await adminOf(running);
    assert.equal(await statusOf(`${admin}/v1/auth/login`, "POST"), 405);
    assert.equal(await statusOf(`${admin}/v1/auth/login`, "GET"), 404);
    assert.equal(await statusOf(`${admin}/healthz`, "HEAD"), 200);
    assert.equal(await statusOf(`${admin}/metrics`, "GET", { host: "evil.example" }), 403);
    assert.equal(await statusOf(`${await running.url()}/../metrics`, "POST"), 404);
    const { port } = new URL(admin);
    const silent = connect(Number(port), "127.0.0.1");
    await once(silent, "connect");
    const closed = once(silent, "close");
    assert.equal(await running.stop(), 0);
    await closed;
  });

  it("are nowhere unless they are asked for", async () => {
    await using running = new RunningCommand(OPTIONS);
    await running.url();
    assert.equal(/metrics/.test(running.out), false);
  });
});
