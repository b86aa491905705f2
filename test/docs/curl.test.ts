import { strict as assert } from "node:assert";
import { execFile, execFileSync } from "node:child_process";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { ACCOUNT_ID, API_KEY, startService } from "../support/service.js";
import { TemporaryFolder } from "../support/tree.js";
import { codeBlocks, readme } from "./readme.js";

const run = promisify(execFile);
const VARIABLES: Readonly<Record<string, string>> = { ACCOUNT_ID, API_KEY };

/** The lines of the README as they are printed, but for the port: the documented one may be taken. */
function documentedLines(baseUrl: string): string[] {
  const [block] = codeBlocks(readme).filter(({ mark }) => mark === "curl");
  assert.ok(block !== undefined, "the README marks its curl lines");
  const { port } = new URL(baseUrl);
  const lines = block.code.trim().split("\n");
  assert.equal(lines.length, 3);
  return lines.map((line) => {
    assert.match(line, / http:\/\/localhost:8480\/v1\//);
    return line.replace("localhost:8480", `localhost:${port}`);
  });
}

/** A curl line as its parts; it has to be one of exactly this form. */
function partsOf(line: string): { storesCookies: boolean; body: string; url: string } {
  const form = /^curl (?<jar>-c|-b) cookies\.txt -d "(?<body>(?:\\.|[^"\\])*)" (?<url>\S+)$/;
  const { jar, body = "", url = "" } = form.exec(line)?.groups ?? {};
  assert.ok(jar !== undefined, `not of the documented form: ${line}`);
  const unquoted = body
    .replace(/\$(\w+)/g, (_, name: string) => VARIABLES[name] ?? "")
    .replace(/\\(.)/g, "$1");
  return { storesCookies: jar === "-c", body: unquoted, url };
}

/** What curl would send, and the cookies that it would keep. */
async function send(line: string, jar: Map<string, string>): Promise<string> {
  const { storesCookies, body, url } = partsOf(line);
  const cookie = storesCookies ? "" : [...jar].map((pair) => pair.join("=")).join("; ");
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "content-length": Buffer.byteLength(body),
    ...(cookie === "" ? {} : { cookie }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers, agent: false }, (response) => {
      for (const header of storesCookies ? (response.headers["set-cookie"] ?? []) : []) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
        jar.set(name, value);
      }
      text(response).then(resolve, reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** By the shell and by curl itself. */
async function curl(line: string, folder: string): Promise<string> {
  const env = { ...VARIABLES, PATH: process.env["PATH"] };
  const { stdout } = await run("sh", ["-c", line], { cwd: folder, env, timeout: 15_000 });
  return stdout;
}

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore", timeout: 15_000 });
    return true;
  } catch {
    // Not on this machine: the same requests are sent without it.
    return false;
  }
}

function checkAnswers(answers: readonly string[]): void {
  const [login, set, got] = answers.map((answer) => JSON.parse(answer) as Record<string, unknown>);
  assert.equal(typeof login?.["servertimestamp"], "number", JSON.stringify(login));
  const servertimestamp = set?.["servertimestamp"];
  assert.equal(typeof servertimestamp, "number", JSON.stringify(set));
  const items = got?.["items"] as { portalid: string; payload: string; servertimestamp: number }[];
  assert.deepEqual(
    items.map((item) => [item.portalid, item.payload, item.servertimestamp]),
    [["send", "23658abc", servertimestamp]],
  );
}

describe("The README's curl lines", () => {
  for (const preset of ["local", "hosted"] as const) {
    it(`log in, set and get with the limits ${preset}, sent without curl`, async () => {
      await using service = await startService({ preset });
      const jar = new Map<string, string>();
      const answers: string[] = [];
      for (const line of documentedLines(service.baseUrl)) answers.push(await send(line, jar));
      checkAnswers(answers);
    });
  }

  it("log in, set and get as they are printed, by curl", async function () {
    if (!hasCurl()) this.skip();
    await using service = await startService();
    using folder = new TemporaryFolder();
    const answers: string[] = [];
    for (const line of documentedLines(service.baseUrl)) {
      answers.push(await curl(line, folder.path));
    }
    checkAnswers(answers);
  });
});
