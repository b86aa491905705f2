import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Authority } from "../support/certificates.js";
import { ConnectProxy } from "../support/connect-proxy.js";
import {
  type Flow,
  type FlowNode,
  type Message,
  NodeRedProcess,
} from "../support/node-red-process.js";
import { filesBelow } from "../support/packed.js";
import { startService } from "../support/service.js";
import { TlsFront } from "../support/tls-front.js";
import { TemporaryFolder } from "../support/tree.js";

/** What must never be seen; each is unlike anything else that a log or an answer may hold. */
const SECRETS = {
  accountId: "AC7310000000000137",
  apiKey: "CanaryKeyThatOpens00000000000001",
  refusedKey: "CanaryKeyThatIsRefused0000000002",
  environmentKey: "CanaryKeyOfTheEnvironment0000003",
  fileKey: "CanaryKeyOfTheDotenvFile00000004",
  serverKey: "CanaryKeyOfTheServerNode00000005",
  distrustfulKey: "CanaryKeyThatTrustsNobody0000006",
  trustfulKey: "CanaryKeyWithACertificate0000007",
  proxiedKey: "CanaryKeyThroughAProxy0000000008",
  strandedKey: "CanaryKeyBeforeAProxy00000000009",
  lonelyKey: "CanaryKeyThatMeetsNobody00000010",
  typedKey: "CanaryKeyTypedForATest0000000011",
  proxyPassword: "canary-password-of-a-proxy",
  wrongPassword: "canary-password-that-is-wrong",
  passphrase: "canary-passphrase",
} as const;

const { accountId } = SECRETS;
const place = { z: "f1", x: 100, y: 100 };
const CASES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
const senders = CASES.map((number) => `o${number}`);

/** A config node with a sender and a reader that use it. */
function users(number: number, config: Record<string, unknown>, apiKey?: string): FlowNode[] {
  const credentials = apiKey === undefined ? {} : { credentials: { accountId, apiKey } };
  const common = { ...place, config: `c${number}` };
  return [
    { id: `c${number}`, type: "xrtc-config", service: "custom", ...config, ...credentials },
    {
      id: `i${number}`,
      type: "xrtc-in",
      ...common,
      portals: "hall",
      start: "all",
      wires: [["debug"]],
    },
    { id: `o${number}`, type: "xrtc-out", ...common, portal: "hall", wires: [] },
  ];
}

interface Places {
  readonly baseUrl: string;
  readonly tlsPort: number;
  readonly proxyUrl: string;
  readonly dotenvFile: string;
  readonly authority: Authority;
}

/** Every way to come by credentials that work, and every way in which they can fail. */
function flow({ baseUrl, tlsPort, proxyUrl, dotenvFile, authority }: Places): Flow {
  const tlsUrl = `https://127.0.0.1:${tlsPort}/v1`;
  const beyond = { baseUrl: "http://xrtc.test/v1", allowInsecure: true };
  const { cert, key } = authority.issue("somebody");
  const proxy = (id: string, password: string): FlowNode => ({
    id,
    type: "http proxy",
    name: "",
    url: proxyUrl,
    noproxy: [],
    credentials: { username: "me", password },
  });
  return [
    { id: "f1", type: "tab", label: "Canaries" },
    ...users(1, { baseUrl }, SECRETS.apiKey),
    ...users(2, { baseUrl }, SECRETS.refusedKey),
    ...users(3, { baseUrl, credentialsFrom: "environment" }),
    ...users(4, { baseUrl, credentialsFrom: "file", dotenvFile }),
    ...users(5, { baseUrl, credentialsFrom: "file", dotenvFile: `${dotenvFile}.not` }),
    ...users(6, { baseUrl: tlsUrl }, SECRETS.distrustfulKey),
    ...users(7, { baseUrl: tlsUrl, tls: "t1" }, SECRETS.trustfulKey),
    ...users(8, { ...beyond, proxy: "p1" }, SECRETS.proxiedKey),
    ...users(9, { ...beyond, proxy: "p2" }, SECRETS.strandedKey),
    ...users(10, { baseUrl: "http://127.0.0.1:9/v1" }, SECRETS.lonelyKey),
    ...users(11, { baseUrl, limitz: 1 }, SECRETS.apiKey),
    proxy("p1", SECRETS.proxyPassword),
    proxy("p2", SECRETS.wrongPassword),
    {
      id: "t1",
      type: "tls-config",
      name: "",
      cert: "",
      key: "",
      ca: "",
      servername: "",
      verifyservercert: true,
      credentials: {
        cadata: authority.cert,
        certdata: cert,
        keydata: key,
        passphrase: SECRETS.passphrase,
      },
    },
    {
      id: "s1",
      type: "xrtc-server",
      ...place,
      port: 0,
      credentials: { accountId, apiKey: SECRETS.serverKey },
      wires: [],
    },
    ...watching,
  ];
}

const listener = (id: string, more: object): FlowNode => ({
  id,
  ...place,
  type: id,
  wires: [["debug"]],
  ...more,
});

/** A message for each sender; whatever can be heard of it, shown whole, in the sidebar and in the log. */
const watching: readonly FlowNode[] = [
  listener("inject", { props: [{ p: "payload" }], payload: "hello", wires: [senders] }),
  listener("catch", { scope: null, uncaught: false }),
  listener("status", { scope: null }),
  listener("complete", { scope: senders }),
  listener("debug", {
    active: true,
    tosidebar: true,
    console: true,
    complete: "true",
    targetType: "full",
    wires: [],
  }),
];

/** The names of the secrets that stand in a text, as they are or in the form that headers have. */
const found = (text: string, except: readonly string[] = []): string[] =>
  Object.entries(SECRETS)
    .filter(([name]) => !except.includes(name))
    .filter(([, secret]) => text.includes(secret) || text.includes(inBase64(secret)))
    .map(([name]) => name);

const inBase64 = (secret: string): string => Buffer.from(`me:${secret}`).toString("base64");

/** The code of the error that a sender's message came to, undefined when it was stored. */
async function outcome(nodeRed: NodeRedProcess, id: string): Promise<unknown> {
  const message = await nodeRed.seen("debug", (each) => sourceOf(each) === id && !isStatus(each));
  return (message["error"] as { code?: string } | undefined)?.code;
}

interface Told {
  readonly error?: { readonly source?: { readonly id: string } };
  readonly complete?: { readonly source?: { readonly id: string } };
}
const sourceOf = ({ error, complete }: Message & Told): string | undefined =>
  (error ?? complete)?.source?.id;
const isStatus = (message: Message): boolean => "status" in message;

async function ask(
  nodeRed: NodeRedProcess,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: string }> {
  const init =
    body === undefined
      ? {}
      : {
          method: "POST",
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" },
        };
  const answer = await fetch(nodeRed.url + path, init);
  return { status: answer.status, text: await answer.text() };
}

const KEYS = [
  SECRETS.apiKey,
  SECRETS.environmentKey,
  SECRETS.fileKey,
  SECRETS.trustfulKey,
  SECRETS.proxiedKey,
  SECRETS.typedKey,
];

describe("Secrets", () => {
  it("are in no flow, file, log, error, badge or answer, in success and in failure", async function () {
    this.timeout(60_000);
    const codes: string[] = [];
    await using service = await startService({
      accounts: [{ accountId, apiKeys: KEYS }],
      hostNames: ["xrtc.test"],
      log: ({ message }) => {
        const [, code] = /^registration code for .*: (\S+)$/.exec(message) ?? [];
        if (code !== undefined) codes.push(code);
      },
    });
    const { baseUrl } = service;
    const port = Number(new URL(baseUrl).port);
    const authority = new Authority();
    await using tls = await TlsFront.before(port, authority.issue("127.0.0.1"));
    const allowed = `Basic ${inBase64(SECRETS.proxyPassword)}`;
    await using proxy = await ConnectProxy.start({
      port,
      answer: (headers) => (headers["proxy-authorization"] === allowed ? 200 : 407),
    });
    using folder = new TemporaryFolder();
    const dotenvFile = join(folder.path, "xrtc.env");
    writeFileSync(dotenvFile, `ACCOUNT_ID=${accountId}\nAPI_KEY=${SECRETS.fileKey}\n`);
    await using nodeRed = await NodeRedProcess.start({
      env: { ACCOUNT_ID: accountId, API_KEY: SECRETS.environmentKey },
      settings: {
        credentialSecret: "what encrypts the credentials",
        logging: { console: { level: "trace", metrics: true, audit: true } },
      },
    });
    await nodeRed.deploy(
      flow({ baseUrl, tlsPort: tls.port, proxyUrl: proxy.url, dotenvFile, authority }),
    );
    await nodeRed.inject("inject");
    const outcomes: Record<string, unknown> = {};
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 11]) outcomes[id] = await outcome(nodeRed, `o${id}`);
    assert.deepEqual(outcomes, {
      1: undefined,
      2: "XRTC_CREDENTIALS_REFUSED",
      3: undefined,
      4: undefined,
      5: "XRTC_OPTIONS",
      6: "XRTC_TLS",
      7: undefined,
      8: undefined,
      11: "XRTC_OPTIONS",
    });
    // What can pass is tried again; badges tell of it.
    for (const id of ["i9", "i10"]) await nodeRed.badge(id, { fill: "red" });

    const answers: Record<string, { readonly status: number; readonly text: string }> = {};
    const note = async (path: string, body?: object) =>
      (answers[`${path} ${JSON.stringify(body ?? "")}`] = await ask(nodeRed, path, body));
    for (const path of ["flows", "flow/f1", "flow/global", "settings", "nodes", "context/global"]) {
      await note(path);
    }
    await note("diagnostics");
    for (const number of CASES) {
      for (const what of ["status", "portals"]) await note(`xrtc/config/c${number}/${what}`);
      // The account id is no password: the dialog shows it.
      const { text } = await ask(nodeRed, `credentials/xrtc-config/c${number}`);
      assert.deepEqual(found(text, ["accountId"]), []);
    }
    const where = { service: "custom", baseUrl };
    const fields = { ...where, accountId };
    const tested = await note("xrtc/config/c1/test", { ...fields, apiKey: "typed" });
    assert.equal(tested.status, 400);
    const good = await ask(nodeRed, "xrtc/config/c1/test", { ...fields, apiKey: SECRETS.typedKey });
    assert.deepEqual([good.status, found(good.text)], [200, []]);
    const begun = await note("xrtc/registration/start", { ...where, email: "me@example.org" });
    const { registration } = JSON.parse(begun.text) as { registration: string };
    const given = await ask(nodeRed, "xrtc/registration/finish", {
      registration,
      code: codes.at(-1),
    });
    assert.equal(given.status, 200);
    const account = JSON.parse(given.text) as { accountId: string; apiKey: string };
    for (const [asked, { text }] of Object.entries(answers)) {
      assert.deepEqual(found(text), [], asked.slice(0, 60));
    }

    const own = filesBelow(nodeRed.userDir).filter(
      (file) => !relative(nodeRed.userDir, file).startsWith("node_modules"),
    );
    const names = own.map((file) => relative(nodeRed.userDir, file));
    for (const name of ["flows.json", "flows_cred.json"]) assert.ok(names.includes(name), name);
    for (const file of own) assert.deepEqual(found(readFileSync(file, "utf8")), [], file);
    const told = [nodeRed.debugged("debug"), senders.map((id) => nodeRed.badges(id))];
    const output = `${nodeRed.lines.join("\n")}\n${JSON.stringify(told)}`;
    assert.match(output, /\[trace\]/);
    assert.match(output, /XRTC_CREDENTIALS_REFUSED/);
    assert.deepEqual(found(output), [], "the log, the errors, the badges");
    for (const secret of Object.values(account)) assert.ok(!output.includes(secret));
  });
});
