import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createContext, runInContext } from "node:vm";
import { CONFIG_RANGES } from "../../nodes/contract/ranges.js";
import { readConfigSettings } from "../../nodes/lib/settings/config.js";
import { readGetSettings } from "../../nodes/lib/settings/get.js";
import { readInSettings } from "../../nodes/lib/settings/in.js";
import { readOutSettings } from "../../nodes/lib/settings/out.js";
import { readServerSettings } from "../../nodes/lib/settings/server.js";
import { limitsOf } from "../../nodes/lib/target.js";
import type { Gap } from "../../src/index.js";

const ROOT = join(__dirname, "../..");
const TYPES = ["xrtc-config", "xrtc-get", "xrtc-in", "xrtc-out", "xrtc-server"] as const;

interface Field {
  readonly value: unknown;
  readonly type?: string;
  readonly validate?: (this: object, value: unknown, options: object) => true | string;
}

interface Definition {
  readonly category: string;
  readonly defaults: Readonly<Record<string, Field>>;
  readonly credentials?: Readonly<Record<string, { readonly type: string }>>;
  readonly icon?: string;
  readonly label: (this: object) => string;
}

type Catalogue = { readonly [key: string]: string | Catalogue };

/** The pages as the editor gets them. */
const pages = new Map<string, string>();

const pageOf = (type: string): string => {
  const page = pages.get(type);
  assert.ok(page !== undefined, `${type} has a page`);
  return page;
};

/** jQuery where no dialog is open. */
const noElement = (): object => ({ val: () => undefined });

/** What a page registers when a browser runs its script; the dialogs themselves are not opened here. */
function definitionOf(type: string): Definition {
  const script = /<script type="text\/javascript">\n([^]*?)<\/script>/.exec(pageOf(type))?.[1];
  assert.ok(script !== undefined);
  const registered = new Map<string, Definition>();
  const RED = {
    nodes: {
      registerType: (name: string, definition: Definition) => registered.set(name, definition),
      node: (id: string) => (id === "s1" ? { type: "xrtc-server" } : null),
    },
  };
  runInContext(script, createContext({ RED, $: noElement, URL }));
  const definition = registered.get(type);
  assert.ok(definition !== undefined);
  return definition;
}

const catalogueOf = async (type: string): Promise<Catalogue> =>
  JSON.parse(
    await readFile(join(ROOT, "nodes/locales/en-US", `${type}.json`), "utf8"),
  ) as Catalogue;

function textAt(catalogue: Catalogue, key: string): string | undefined {
  let at: string | Catalogue | undefined = catalogue;
  for (const part of key.split(".")) at = typeof at === "object" ? at[part] : undefined;
  return typeof at === "string" ? at : undefined;
}

/** The keys of all texts, with what is above them. */
const keysBelow = (at: string | Catalogue | undefined, path: string): string[] =>
  typeof at === "object"
    ? Object.entries(at).flatMap(([key, below]) => keysBelow(below, `${path}.${key}`))
    : [path];

/** Whether a dialog accepts a value for a field of a node with these other fields. */
function accepts(type: string, field: string, value: unknown, others: object = {}): boolean {
  const { defaults } = definitionOf(type);
  const fields = Object.entries(defaults).map(([name, { value: fallback }]) => [name, fallback]);
  const node = { ...(Object.fromEntries(fields) as object), ...others, _: (key: string) => key };
  const verdict = defaults[field]?.validate?.call(node, value, {});
  return verdict === undefined || verdict === true;
}

function isAccepted(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** Compares the verdict of a dialog with that of the runtime. */
const agrees = (
  [type, field]: readonly [string, string],
  read: (definition: object) => unknown,
  values: readonly unknown[],
  others: object = {},
): void => {
  for (const value of values) {
    const expected = isAccepted(() => read({ ...others, [field]: value }));
    const verdict = accepts(type, field, value, others);
    assert.equal(verdict, expected, `${type} ${field} ${String(value)}`);
  }
};

/** As a config node reads its numbers: each for itself, then those that belong together. */
const readLimits = (definition: object): unknown => limitsOf(readConfigSettings(definition));

const config = (field: string, value: string, service: string): boolean =>
  accepts("xrtc-config", field, value, { service });

const path = (value: string, others: object): boolean =>
  accepts("xrtc-config", "dotenvFile", value, others);

const say = (key: string, { min, max }: Record<string, string>): string => `${key} ${min} ${max}`;

describe("the editor's side of the nodes", () => {
  before(async () => {
    const target = await mkdtemp(join(tmpdir(), "xrtc-editor-"));
    try {
      const script = join(ROOT, "scripts/build-editor.mjs");
      await promisify(execFile)(process.execPath, [script, target]);
      for (const type of TYPES) {
        pages.set(type, await readFile(join(target, `${type}.html`), "utf8"));
      }
      assert.deepEqual(await readdir(join(target, "locales")), ["en-US"]);
    } finally {
      await rm(target, { recursive: true, force: true });
    }
  });

  for (const type of TYPES) {
    it(`registers ${type} with a literal name, as the flow library's parser needs it`, () => {
      assert.match(pageOf(type), new RegExp(`RED\\.nodes\\.registerType\\("${type}", \\{`));
      assert.ok(definitionOf(type).defaults["version"]?.value === 1);
    });

    it(`has a help text for ${type} in the editor's own sections`, () => {
      const help = new RegExp(`data-help-name="${type}">([^]*?)</script>`).exec(pageOf(type))?.[1];
      assert.ok(help !== undefined);
      assert.match(help, /<h3>Details<\/h3>/);
      assert.match(help, /<h3>References<\/h3>/);
    });

    it(`takes every text of ${type}'s dialog from the catalogue, and every colour from the theme`, async () => {
      const catalogue = await catalogueOf(type);
      const page = pageOf(type);
      const keys = [...page.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map(([, key]) => key);
      const spoken = [...page.matchAll(/"(xrtc-[a-z]+\.(?!svg")[\w.]+)"/g)].map(([, key]) => key);
      assert.ok(keys.length > 0);
      for (const key of [...keys, ...spoken]) {
        assert.ok(textAt(catalogue, key ?? "") !== undefined, `${key} has a text`);
      }
      const dialog = new RegExp(`data-template-name="${type}">([^]*?)</script>`).exec(page)?.[1];
      const styles = /<style>([^]*?)<\/style>/.exec(page)?.[1];
      for (const looks of [dialog ?? "", styles ?? ""]) {
        assert.doesNotMatch(looks, /#[0-9a-f]{3,6}\b|rgba?\(|hsla?\(/i);
      }
      assert.doesNotMatch(dialog ?? "", />\s*[A-Za-z][^<>]*</, "no text beside the catalogue's");
    });

    it(`has no text for ${type} that nothing shows`, async () => {
      const own = (await catalogueOf(type))[type];
      const speakers = pageOf(type) + (await readFile(join(ROOT, `nodes/${type}.ts`), "utf8"));
      for (const key of keysBelow(own, type)) {
        const isPicked = speakers.includes(`\`${key.slice(0, key.lastIndexOf(".") + 1)}\${`);
        const isNamed = new RegExp(`["\\]]${key.replaceAll(".", "\\.")}"`).test(speakers);
        assert.ok(isPicked || isNamed, `${key} is shown somewhere`);
      }
    });

    it(`has a field in ${type}'s dialog for each of its settings, and an icon that exists`, async () => {
      const { defaults, credentials, icon, category } = definitionOf(type);
      const prefix = category === "config" ? "node-config-input" : "node-input";
      const names = [...Object.keys(defaults), ...Object.keys(credentials ?? {})];
      for (const name of names.filter((each) => each !== "version")) {
        const id = type === "xrtc-config" && name === "server" ? "serverId" : name;
        assert.ok(pageOf(type).includes(`id="${prefix}-${id}"`), `${name} has a field`);
      }
      if (icon === undefined) assert.equal(category, "config");
      else assert.ok((await readdir(join(ROOT, "nodes/icons"))).includes(icon));
    });
  }

  it("offers the defaults that the runtime has", () => {
    const readers = {
      "xrtc-config": readConfigSettings,
      "xrtc-get": readGetSettings,
      "xrtc-out": readOutSettings,
      "xrtc-server": readServerSettings,
    };
    for (const [type, read] of Object.entries(readers)) {
      const entries = Object.entries(definitionOf(type).defaults);
      const defaults = Object.fromEntries(entries.map(([name, { value }]) => [name, value]));
      assert.deepEqual(read(defaults), read({ name: "" }), type);
    }
    const entries = Object.entries(definitionOf("xrtc-in").defaults);
    const defaults = Object.fromEntries(entries.map(([name, { value }]) => [name, value]));
    assert.equal(defaults["portals"], "");
    const portals = "a";
    assert.deepEqual(readInSettings({ ...defaults, portals }), readInSettings({ portals }));
  });

  it("refuses in the dialog what the runtime refuses, and accepts what it accepts", () => {
    const ids = ["", "hall", " hall ", "a-b", "ä", "x".repeat(32), "x".repeat(33)];
    agrees(["xrtc-out", "portal"], readOutSettings, ids);
    const lists = [...ids, "a,b", "a b;c", "a, b-c", " , "];
    agrees(["xrtc-in", "portals"], readInSettings, lists);
    agrees(["xrtc-get", "portals"], readGetSettings, lists);
    const numbers = ["", "0", "-1", "-2", "1.5", "8480", "65535", "65536", "x", "1e3", 7];
    agrees(["xrtc-server", "port"], readServerSettings, numbers);
    const hosts = ["", "localhost", "::1", "[::1]", "0.0.0.0", "a b", "my.house", "my.house:80"];
    agrees(["xrtc-server", "host"], readServerSettings, hosts);
    agrees(["xrtc-server", "host"], readServerSettings, hosts, { listen: "path" });
    agrees(["xrtc-server", "hostNames"], readServerSettings, [...hosts, "a, b;c", "http://a"]);
    const paths = ["", "/", "xrtc", "/a/b/", "a//b", "/a b", "/../x", "/x?y", "/ä", "/a.b_c~d-e"];
    agrees(["xrtc-server", "path"], readServerSettings, paths, { listen: "path" });
    agrees(["xrtc-server", "path"], readServerSettings, paths);
    const urls = ["", "redis://h", "rediss://u@h:1/2", "redis://u:p@h", "http://h", "h", "redis:"];
    agrees(["xrtc-server", "redisUrl"], readServerSettings, urls, { engine: "redis" });
    agrees(["xrtc-server", "redisUrl"], readServerSettings, urls);
    agrees(["xrtc-in", "cutoff"], readInSettings, numbers, { portals: "a" });
    agrees(["xrtc-in", "portals"], readInSettings, lists, { dynamic: true });
    const distances = [...numbers, "1", "86400", "86401"];
    agrees(["xrtc-in", "probeSeconds"], readInSettings, distances, { portals: "a" });
    const times = ["", "0", "1769860800000", "2026-01-31", "2026-01-31T12:00Z", "31.1.2026", "x"];
    agrees(["xrtc-in", "since"], readInSettings, times, { portals: "a", start: "since" });
    agrees(["xrtc-in", "since"], readInSettings, times, { portals: "a", start: "all" });
    agrees(["xrtc-out", "queueMax"], readOutSettings, [...numbers, "10000", "10001"]);
    const seconds = [...numbers, "0.5", "1000000", "1000001"];
    agrees(["xrtc-out", "ttlSeconds"], readOutSettings, seconds);
    const names = ["", "retain", "retain, qos;ä", "req", "a, __proto__", "a.b", "a[0]", "_msgid"];
    agrees(["xrtc-out", "properties"], readOutSettings, names);
    agrees(["xrtc-get", "cutoff"], readGetSettings, numbers);
    for (const [field, { min, max }] of Object.entries(CONFIG_RANGES)) {
      const ends = [min - 1, min, max, max + 1].map(String);
      agrees(["xrtc-config", field], readLimits, [...numbers, ...ends]);
    }
  });

  it("leaves to the runtime what an environment variable holds", () => {
    for (const field of ["portals", "probeSeconds", "cutoff"]) {
      assert.ok(accepts("xrtc-in", field, "${XRTC_VALUE}"), field);
    }
    assert.ok(accepts("xrtc-in", "since", "${XRTC_VALUE}", { start: "since" }));
    assert.ok(!accepts("xrtc-in", "portals", "a, ${XRTC_VALUE}"));
  });

  it("asks for a URL or a server only where the chosen service needs one", () => {
    assert.ok(config("baseUrl", "", "hosted"));
    assert.ok(!config("baseUrl", "", "custom"));
    assert.ok(!config("baseUrl", "ftp://example.org", "custom"));
    assert.ok(!config("baseUrl", "https://me:secret@example.org/v1", "custom"));
    assert.ok(config("baseUrl", "https://example.org/v1", "custom"));
    assert.ok(!config("setUrl", "no url", "urls"));
    assert.ok(config("setUrl", "http://localhost:8480/v1/item/set", "urls"));
    assert.ok(config("server", "", "hosted"));
    assert.ok(!accepts("xrtc-config", "server", "gone", { service: "local", server: "gone" }));
    assert.ok(accepts("xrtc-config", "server", "s1", { service: "local", server: "s1" }));
  });

  it("finds nothing wrong with a setting that is younger than the saved node", () => {
    for (const type of TYPES) {
      const { defaults } = definitionOf(type);
      for (const [field, { value, validate }] of Object.entries(defaults)) {
        const saved = { service: "hosted", _: (key: string) => key };
        // What has no default was there from the start, or is asked for.
        if (value === "" && ["portals", "server"].includes(field)) continue;
        assert.ok([true, undefined].includes(validate?.call(saved, undefined, {}) as true), field);
      }
    }
  });

  it("asks for the path of a dotenv file only where the credentials come from it", () => {
    assert.ok(path("", { credentialsFrom: "fields" }));
    assert.ok(!path(" ", { credentialsFrom: "file" }));
    assert.ok(path("/data/xrtc.env", { credentialsFrom: "file" }));
    // An account and key of its own has the server node.
    assert.ok(path("", { credentialsFrom: "file", service: "local" }));
  });

  it("wants a stream to be shorter than a session, as the runtime does", () => {
    const pairs = ["", "4999", "5000", "59999", "60000", "60001"];
    for (const getTimeoutMs of pairs) {
      for (const sessionIdleMsMax of pairs) {
        const fields = { getTimeoutMs, sessionIdleMsMax };
        const isFine = isAccepted(() => readLimits(fields));
        for (const [field, text] of Object.entries(fields)) {
          // A flow that somebody wrote may have numbers where the dialog has text.
          const value = text === "" ? text : Number(text);
          assert.equal(
            accepts("xrtc-config", field, value, fields),
            isFine,
            JSON.stringify(fields),
          );
        }
      }
    }
  });

  it("asks for each number of a configuration with its bounds", () => {
    const { defaults } = definitionOf("xrtc-config");
    for (const [field, { min, max }] of Object.entries(CONFIG_RANGES)) {
      const verdict = defaults[field]?.validate?.call({ _: say }, String(max + 1), {});
      assert.equal(verdict, `xrtc-config.invalid.range ${min} ${max}`, field);
    }
  });

  it("keeps account and key as credentials, the key as a password", () => {
    for (const type of ["xrtc-config", "xrtc-server"]) {
      const { credentials, defaults } = definitionOf(type);
      assert.deepEqual(
        // Out of the realm of the browser's script.
        structuredClone(credentials),
        {
          accountId: { type: "text" },
          apiKey: { type: "password" },
          ...(type === "xrtc-server" ? { redisPassword: { type: "password" } } : {}),
        },
      );
      assert.ok(!("apiKey" in defaults) && !("accountId" in defaults));
      assert.match(pageOf(type), /type="password"\s+id="node-(config-)?input-apiKey"/);
    }
  });

  it("lets the editor carry the choice of a server over when flows are imported", () => {
    assert.equal(definitionOf("xrtc-config").defaults["server"]?.type, "xrtc-server[]");
  });

  it("has words for every reason of a gap", async () => {
    const reasons = { overrun: 1, epoch: 1, possible: 1, queue: 1 } satisfies Record<
      Gap["reason"],
      1
    >;
    const catalogue = await catalogueOf("xrtc-in");
    for (const reason of [...Object.keys(reasons), "some", "counted"]) {
      assert.ok(textAt(catalogue, `gap.${reason}`) !== undefined, reason);
    }
  });
});
