import { strict as assert } from "node:assert";
import { XrtcServer } from "../../src/server/index.js";
import { conformance, GENTLE_REQUESTS_MAX } from "./command.js";
import { ACCOUNT_LIST, serverOptions, sidesOf } from "./local-target.js";

const [account] = ACCOUNT_LIST;
const credentials = {
  XRTC_CONFORMANCE_ACCOUNTS: `${account?.accountId}:${account?.apiKey}`,
};
const limits = {
  ...sidesOf("hosted").hasty,
  requestsPerSecondMax: 100,
  sessionIdleMsMax: 60_000,
  itemAgeMsMax: 3_600_000,
  requestsPerMonthMax: 1_000_000,
};
const OPTIONS = (["getTimeoutMs", "loginIntervalMsMin", "requestsPerSecondMax"] as const).flatMap(
  (name) => ["--limit", `${name}=${limits[name]}`],
);

async function asked(
  server: XrtcServer,
  ...argv: readonly string[]
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await conformance(
    ["--url", server.url, ...OPTIONS, ...argv],
    credentials,
    (line) => {
      lines.push(line);
    },
  );
  return { code, lines };
}

const print = (): void => {};

describe("npm run conformance", function () {
  this.timeout(60_000);

  it("asks what the hosted service may be asked, with one account and few requests", async () => {
    await using server = new XrtcServer(serverOptions("hosted", limits));
    await server.listen();
    const { code, lines } = await asked(server, "--gentle");
    assert.equal(code, 0, lines.join("\n"));
    assert.ok(server.stats.requests <= GENTLE_REQUESTS_MAX, String(server.stats.requests));
    const last = lines.at(-1) ?? "";
    assert.match(
      last,
      new RegExp(`^\\d+ passed, 0 failed, \\d+ not asked; ${server.stats.requests} requests$`),
    );
    assert.ok(lines.some((line) => line.startsWith("Not asked of this server: clauses ")));
    assert.ok(!lines.join("\n").includes(account?.apiKey ?? ""), "no key is printed");
  });

  it("tells what a server does otherwise, and fails", async () => {
    await using server = new XrtcServer(serverOptions("hosted", limits));
    await server.listen();
    const { code, lines } = await asked(server, "--gentle", "--extensions", "seq");
    assert.equal(code, 1);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("✖")).map((line) => line.split("\n")[0]),
      ["✖ answers items in their form, and {} when there are none (5.1)"],
    );
  });

  it("asks nobody without a URL, credentials, or a known limit", async () => {
    const codes = [];
    codes.push(await conformance([], credentials, print));
    codes.push(await conformance(["--url", "http://localhost:1/v1"], {}, print));
    codes.push(
      await conformance(["--url", "http://localhost:1/v1", "--limit", "x=1"], credentials, print),
    );
    codes.push(await conformance(["--urls", "http://localhost:1/v1"], credentials, print));
    assert.deepEqual(codes, [2, 2, 2, 2]);
  });

  it("lists every clause with its cases", async () => {
    const lines: string[] = [];
    assert.equal(await conformance(["--list"], {}, (line) => lines.push(line)), 0);
    assert.ok(lines.some((line) => line.startsWith("  7.7 ")));
  });
});
