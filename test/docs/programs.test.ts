import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { PATHS } from "../../src/index.js";
import { manifest } from "../support/packed.js";
import { ACCOUNT_ID, API_KEY, startService, type Service } from "../support/service.js";
import { ROOT, TemporaryFolder } from "../support/tree.js";
import { readText } from "./readme.js";

const SECOND_KEY = API_KEY.split("").toReversed().join("");
const RUN_MS_MAX = 40_000;

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
  readonly complaint: string;
}

/** A folder such as a user has: the package is installed, and a program copied beside its dotenv files. */
class Project extends TemporaryFolder {
  constructor() {
    super();
    const link = join(this.path, "node_modules", manifest.name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(ROOT, link, "dir");
  }

  /** Writes a dotenv file, every line of it one that the templates have. */
  env(name: string, baseUrl: string, apiKey: string): void {
    const values: Readonly<Record<string, string>> = {
      ACCOUNT_ID,
      API_KEY: apiKey,
      LOGIN_URL: baseUrl + PATHS.login,
      SET_URL: baseUrl + PATHS.set,
      GET_URL: baseUrl + PATHS.get,
    };
    const template = parseEnv(
      readText(`docs/sdk/${name}.example`).replace(/^# (?=[A-Z_]+=)/gm, ""),
    );
    assert.deepEqual(Object.keys(template).toSorted(), Object.keys(values).toSorted());
    const lines = Object.keys(template).map((key) => `${key}=${values[key] ?? ""}\n`);
    writeFileSync(join(this.path, name), lines.join(""));
  }

  /** Runs a program of docs/sdk to its end. */
  run(program: string, ...args: readonly string[]): Promise<Ended> {
    const file = join(this.path, program);
    copyFileSync(join(ROOT, "docs/sdk", program), file);
    // Only what starting needs: credentials of this machine's own environment stay out.
    const options = { cwd: this.path, env: { PATH: process.env["PATH"] }, timeout: RUN_MS_MAX };
    return new Promise((resolve) => {
      execFile(process.execPath, [file, ...args], options, (error, stdout, complaint) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, complaint, lines: stdout.trimEnd().split("\n") });
      });
    });
  }
}

const accounts = [{ accountId: ACCOUNT_ID, apiKeys: [API_KEY, SECOND_KEY] }];
const start = (): Promise<Service> => startService({ accounts });
const succeeded = ({ code, complaint }: Ended): void => assert.equal(code, 0, complaint);

describe("The programs in docs/sdk", function () {
  this.timeout(60_000);

  before(() => {
    assert.ok(existsSync(join(ROOT, manifest.main)), "there is no build: run npm run build first");
  });

  it("set an item and get it back", async () => {
    await using service = await start();
    using project = new Project();
    project.env("xrtc.env", service.baseUrl, API_KEY);
    const ended = await project.run("set-and-get.mjs");
    succeeded(ended);
    const printed = ended.lines.join("\n");
    assert.match(printed, /portalId: 'exampleportal'/);
    assert.match(printed, /payload: 'examplepayload'/);
    assert.match(printed, /serverTimestamp: \d+/);
    assert.equal(service.server.stats.sessions, 1);
  });

  it("get items in each of the four ways", async () => {
    await using service = await start();
    using project = new Project();
    project.env("xrtc.env", service.baseUrl, API_KEY);
    const ended = await project.run("async-iteration.mjs");
    succeeded(ended);
    const { lines } = ended;
    assert.equal(lines[0], "probe: probe 3");
    assert.match(lines[1] ?? "", /^watch: watch [123]$/);
    for (const way of ["stream", "subscribe"]) {
      const own = lines.filter((line) => line.startsWith(`${way}: ${way} `) && !line.endsWith("0"));
      assert.deepEqual(
        own,
        [1, 2, 3].map((number) => `${way}: ${way} ${number}`),
      );
    }
  });

  it("measure the latency with two keys from two files, and stop after the items asked for", async () => {
    await using service = await start();
    using project = new Project();
    project.env("xrtc_set.env", service.baseUrl, API_KEY);
    project.env("xrtc_get.env", service.baseUrl, SECOND_KEY);
    const ended = await project.run("latency-test.mjs", "5");
    succeeded(ended);
    assert.equal(ended.lines.length, 5);
    ended.lines.forEach((line, index) => {
      assert.match(line, new RegExp(`^item ${index + 1}: \\d+\\.\\d ms, mean \\d+\\.\\d ms$`));
    });
    const { logins, itemsSet } = service.server.stats;
    assert.deepEqual({ logins, itemsSet }, { logins: 2, itemsSet: 6 });
  });

  it("end with the reason when a key is refused", async () => {
    await using service = await start();
    using project = new Project();
    const wrong = "0".repeat(API_KEY.length);
    for (const name of ["xrtc.env", "xrtc_set.env", "xrtc_get.env"]) {
      project.env(name, service.baseUrl, name === "xrtc_set.env" ? API_KEY : wrong);
    }
    for (const program of ["set-and-get.mjs", "async-iteration.mjs", "latency-test.mjs"]) {
      const ended = await project.run(program);
      assert.equal(ended.code, 1);
      assert.match(ended.complaint, /XRTC_CREDENTIALS_REFUSED/);
      assert.ok(!ended.complaint.includes(wrong), "the key is not printed");
    }
  });

  it("are all tried here, and hold no credentials", () => {
    const names = readdirSync(join(ROOT, "docs/sdk"));
    assert.deepEqual(
      names.filter((name) => name.endsWith(".mjs")),
      ["async-iteration.mjs", "latency-test.mjs", "set-and-get.mjs"],
    );
    for (const name of names) {
      const content = readText(`docs/sdk/${name}`);
      assert.doesNotMatch(content, /\bAC\d{6,}|\b[A-Za-z0-9]{32}\b/, name);
    }
  });
});
