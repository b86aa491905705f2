import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XrtcClient } from "../../../src/index.js";
import { LOGIN_ANSWER, ScriptedTransport } from "../../support/scripted-transport.js";
import { credentials } from "../../support/service.js";
import { settled, VirtualClock } from "../../support/virtual-clock.js";

const NOVEMBER = Date.UTC(2023, 10, 14);
const DAY = 86_400_000;

describe("The file that keeps the month's count", () => {
  let folder: string;
  let path: string;
  let errors: Error[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "xrtc-count-"));
    path = join(folder, "below", "requests.json");
    errors = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A client that counts there; its login is its first request. */
  const start = (clock = new VirtualClock(NOVEMBER), isHeard = true) => {
    const transport = new ScriptedTransport(({ url }) =>
      url.endsWith("/auth/login") ? LOGIN_ANSWER : { body: ['{"servertimestamp":1}'] },
    );
    const client = new XrtcClient({
      ...credentials,
      baseUrl: "http://localhost/v1",
      limits: { requestsPerMonthMax: 10_000, requestsPerSecondMax: 10_000 },
      counterFile: path,
      onCounterError: isHeard ? (error) => errors.push(error) : undefined,
      ports: { clock, transport },
    });
    const send = async (count: number): Promise<void> => {
      for (let sent = 0; sent < count; sent += 1) {
        await client.setItems([{ portalId: "p", payload: "x" }]);
      }
    };
    return { client, clock, send };
  };
  const kept = (): unknown => JSON.parse(readFileSync(path, "utf8"));
  const keep = (text: string): void => {
    mkdirSync(join(folder, "below"));
    writeFileSync(path, text);
  };

  it("brings the count over a restart", async () => {
    for (const used of [4, 8]) {
      const { client, send } = start();
      await send(3);
      assert.equal(client.usage.value.used, used);
      await client.close();
      assert.deepEqual(kept(), { month: "2023-11", used });
    }
    assert.deepEqual(readdirSync(join(folder, "below")), ["requests.json"]);
  });

  it("is not far behind when a process dies: a hundred requests, or ten seconds", async () => {
    const { clock, send } = start();
    await send(99);
    assert.deepEqual(kept(), { month: "2023-11", used: 100 });
    await clock.advance(10_000);
    await send(1);
    assert.deepEqual(kept(), { month: "2023-11", used: 101 });
  });

  it("adds up what several clients of a process count, and each comes to know of the others", async () => {
    const [one, other] = [start(), start()];
    await one.send(149);
    await other.send(249);
    assert.equal(other.client.usage.value.used, 350);
    await one.client.close();
    await other.client.close();
    assert.deepEqual(kept(), { month: "2023-11", used: 400 });
  });

  it("begins anew with the month, and what is late does not bring the old one back", async () => {
    const clock = new VirtualClock(NOVEMBER);
    const late = start();
    await late.send(1);
    const { client, send } = start(clock);
    await send(5);
    await client.close();
    await clock.advance(20 * DAY);
    const next = start(clock);
    assert.equal(next.client.usage.value.used, 0);
    await next.send(2);
    await next.client.close();
    await late.client.close();
    assert.deepEqual(kept(), { month: "2023-12", used: 3 });
    assert.deepEqual(errors, []);
  });

  for (const text of ["", "{", '{"month":"2023-11","used":-1}', "[]", "\u0000".repeat(100)]) {
    it(`that is damaged (${JSON.stringify(text.slice(0, 30))}) is told once, and is whole again after that`, async () => {
      keep(text);
      const { client, send } = start();
      await send(1);
      await client.close();
      assert.equal(errors.length, 1);
      assert.deepEqual(kept(), { month: "2023-11", used: 2 });
    });
  }

  it("warns the process once, with the file's name and nothing of what stands in it, where nobody asked to hear", async () => {
    keep('{"month":"a-word-of-the-file"');
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on("warning", listen);
    try {
      const { client, send } = start(new VirtualClock(NOVEMBER), false);
      await send(250);
      await client.close();
      await settled();
    } finally {
      process.off("warning", listen);
    }
    const own = warnings.filter(({ name }) => name === "XrtcWarning");
    assert.equal(own.length, 1);
    assert.ok(own[0]?.message.includes(JSON.stringify(path)), own[0]?.message);
    assert.ok(!own[0]?.message.includes("a-word"));
  });

  it("that cannot be written is told once, and the count goes on in memory", async () => {
    // A file stands where the folder should be: nobody can write there, whatever rights they have.
    writeFileSync(join(folder, "below"), "");
    const { client, send } = start();
    await send(250);
    assert.equal(client.usage.value.used, 251);
    await client.close();
    assert.equal(errors.length, 1);
  });
});
