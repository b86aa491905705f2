import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { installPacked, manifest } from "../support/packed.js";
import { ROOT, TemporaryFolder } from "../support/tree.js";

const run = promisify(execFile);
const TSC = join(dirname(createRequire(__filename).resolve("typescript/package.json")), "bin/tsc");
const SDK = manifest.name;
const SERVER = `${manifest.name}/server`;

/** A server and a client that exchange one item, in a syntax that both kinds of module share. */
const ROUND_TRIP = `
  async function main() {
    const account = { accountId: "AC0987654321012345", apiKey: "0123456789abcdefghijABCDEFGHIJ01" };
    const server = new XrtcServer({
      port: 0,
      accounts: [{ accountId: account.accountId, apiKeys: [account.apiKey] }],
    });
    const baseUrl = await server.listen();
    const client = new XrtcClient({ ...account, baseUrl, environment: {} });
    await client.setItems([{ portalId: "P1", payload: "grüße" }]);
    const payloads = [];
    for await (const item of client.getItems({ portals: ["P1"] })) payloads.push(item.payload);
    await client.drain();
    await server.close();
    console.log(JSON.stringify({
      payloads,
      family: new XrtcError("XRTC_CLOSED", "closed") instanceof Error,
      version: manifest.version,
    }));
  }
  main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
`;

const COMMONJS = `
  const { XrtcClient, XrtcError } = require("${SDK}");
  const { XrtcServer } = require("${SERVER}");
  const manifest = require("${SDK}/package.json");
  ${ROUND_TRIP}
`;

const ESM = `
  import { createRequire } from "node:module";
  import { XrtcClient, XrtcError } from "${SDK}";
  import { XrtcServer } from "${SERVER}";
  const manifest = createRequire(import.meta.url)("${SDK}/package.json");
  ${ROUND_TRIP}
`;

/** What a TypeScript importer relies on: the names, and that they are not \`any\`. */
const TYPED = `
  export async function use(): Promise<string> {
    const options: XrtcClientOptions = { baseUrl: "http://127.0.0.1:8480/v1" };
    const client = new XrtcClient(options);
    const code: "XRTC_CLOSED" = new XrtcError("XRTC_CLOSED", "closed").code as "XRTC_CLOSED";
    const server = new XrtcServer({ accounts: [] });
    const url: string = await server.listen();
    for await (const item of client.getItems({ portals: ["P1"], mode: "probe" })) {
      const payload: string = item.payload;
      console.log(payload);
    }
    // @ts-expect-error -- a portal is named by text: this compiles only if the types were lost
    client.getItems({ portals: 1 });
    // @ts-expect-error -- a misspelt option
    new XrtcServer({ acounts: [] });
    return url + code;
  }
`;

const TYPED_CTS = `
  import sdk = require("${SDK}");
  import local = require("${SERVER}");
  import type { XrtcClientOptions } from "${SDK}";
  const { XrtcClient, XrtcError } = sdk;
  const { XrtcServer } = local;
  ${TYPED}
`;

const TYPED_MTS = `
  import { XrtcClient, XrtcError, type XrtcClientOptions } from "${SDK}";
  import { XrtcServer } from "${SERVER}";
  ${TYPED}
`;

/** Strict options of a project that uses the package, and does not pass over its declarations. */
const compilerOptions = (module: string, moduleResolution: string): object => ({
  ...{ target: "es2022", lib: ["es2023", "esnext.disposable"], types: ["node"] },
  ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false },
  ...{ module, moduleResolution },
});

describe("the packed package", function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;

  const write = (name: string, content: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, content);
    return path;
  };

  before(async () => {
    folder = new TemporaryFolder();
    await installPacked(folder);
    mkdirSync(join(folder.path, "node_modules/@types"));
    symlinkSync(
      join(ROOT, "node_modules/@types/node"),
      join(folder.path, "node_modules/@types/node"),
      "dir",
    );
  });

  after(() => folder[Symbol.dispose]());

  for (const [kind, name, program] of [
    ["CommonJS", "program.cjs", COMMONJS],
    ["ESM", "program.mjs", ESM],
  ] as const) {
    it(`gives SDK and server to a ${kind} program by their names`, async () => {
      const { stdout } = await run(process.execPath, [write(name, program)], { cwd: folder.path });
      assert.deepEqual(JSON.parse(stdout), {
        payloads: ["grüße"],
        family: true,
        version: manifest.version,
      });
    });
  }

  it("keeps what is inside to itself", async () => {
    const program = write("inside.cjs", `require("${SDK}/dist/src/errors.js");`);
    await assert.rejects(run(process.execPath, [program]), /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  for (const [module, moduleResolution, files] of [
    ["node16", "node16", { "typed.cts": TYPED_CTS, "typed.mts": TYPED_MTS }],
    ["nodenext", "nodenext", { "typed.cts": TYPED_CTS, "typed.mts": TYPED_MTS }],
    ["esnext", "bundler", { "typed.mts": TYPED_MTS }],
  ] as const) {
    it(`gives its types to importers under module resolution ${moduleResolution}`, async () => {
      for (const [name, content] of Object.entries(files)) write(name, content);
      const config = {
        compilerOptions: compilerOptions(module, moduleResolution),
        files: Object.keys(files),
      };
      const project = write("tsconfig.json", JSON.stringify(config));
      await run(process.execPath, [TSC, "-p", project]).catch(
        (error: Error & { stdout?: string }) => {
          assert.fail(error.stdout ?? error.message);
        },
      );
    });
  }
});
