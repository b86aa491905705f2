import { strict as assert } from "node:assert";
import { LIMITS, REMEDIES, type Limits } from "../../src/index.js";
import { USAGE } from "../../src/server/command/usage.js";
import { codeBlocks, plain, readText, section, tableOf, tables } from "./readme.js";

interface Option {
  readonly name: string;
  readonly defaultValue: string | undefined;
}

/** The members of an exported interface, as its source has them: name and `@defaultValue`. */
function optionsOf(path: string, name: string): Option[] {
  const body = new RegExp(`^export interface ${name} [^]*?^}`, "m").exec(readText(path))?.[0];
  assert.ok(body !== undefined, `${path} has no interface ${name}`);
  const member = /^ {2}\/\*\* (?<documentation>.*?) \*\/\n {2}readonly (?<name>\w+)\??:/gm;
  const options = [...body.matchAll(member)].map(({ groups = {} }) => {
    const { documentation = "" } = groups;
    const [, defaultValue] = /@defaultValue (.*?)(?:, minimum .*)?$/.exec(documentation) ?? [];
    return { name: groups["name"] ?? "", defaultValue };
  });
  assert.equal(options.length, body.match(/^ {2}readonly \w+/gm)?.length, "each has a comment");
  return options;
}

const limitCell = (value: number): string =>
  value === Number.MAX_SAFE_INTEGER ? "none" : String(value);

describe("The README's tables", () => {
  it("have a row for every error code, with its remedy", () => {
    assert.deepEqual(
      tableOf("Errors").map(([code, remedy]) => [plain(code), remedy]),
      Object.entries(REMEDIES),
    );
  });

  it("have every limit of both presets", () => {
    const names = Object.keys(LIMITS.hosted) as (keyof Limits)[];
    assert.deepEqual(
      tableOf("Limits").map(([name, , hosted, local]) => [plain(name), hosted, local]),
      names.map((name) => [name, limitCell(LIMITS.hosted[name]), limitCell(LIMITS.local[name])]),
    );
  });

  it("have every option of the client with its default", () => {
    const rows = tableOf("Options of the client").map(([name, , value]) => ({
      name: plain(name),
      value,
    }));
    const options = optionsOf("src/client/options.ts", "XrtcClientOptions");
    assert.deepEqual(
      rows.map(({ name }) => name),
      options.map(({ name }) => name),
    );
    for (const { name, defaultValue } of options) {
      if (defaultValue === undefined) continue;
      assert.equal(plain(rows.find((row) => row.name === name)?.value), defaultValue, name);
    }
  });

  it("have every option of getItems and subscribe with its default", () => {
    const path = "src/client/call-options.ts";
    const callbacks = optionsOf("src/subscription/member.ts", "MemberCallbacks");
    const kinds = [
      optionsOf(path, "GetItemsOptions"),
      optionsOf(path, "SubscribeOptions"),
      optionsOf(path, "CallOptions"),
      callbacks,
    ].flat();
    const rows = tableOf("Options of getItems and subscribe");
    assert.deepEqual(
      rows.map(([name]) => plain(name)).toSorted(),
      [...new Set(kinds.map(({ name }) => name))].toSorted(),
    );
    for (const { name, defaultValue } of kinds) {
      if (defaultValue === undefined) continue;
      const cell = plain(rows.find(([row]) => plain(row) === name)?.[2]);
      assert.ok(cell.split(", ").includes(defaultValue), `${name}: ${defaultValue}`);
    }
  });

  it("have every option of setItems with its default", () => {
    const path = "src/client/call-options.ts";
    const options = [...optionsOf(path, "SetItemsOptions"), ...optionsOf(path, "CallOptions")];
    const rows = tableOf("Options of setItems");
    assert.deepEqual(
      rows.map(([name]) => plain(name)),
      options.map(({ name }) => name),
    );
    for (const [index, { name, defaultValue }] of options.entries()) {
      if (defaultValue !== undefined) assert.equal(plain(rows[index]?.[2]), defaultValue, name);
    }
  });

  it("have every field of each node by the name that the editor shows", () => {
    for (const node of ["xrtc-config", "xrtc-out", "xrtc-in", "xrtc-get", "xrtc-server"]) {
      const catalogue = JSON.parse(readText(`nodes/locales/en-US/${node}.json`)) as Record<
        string,
        { label: Record<string, string> }
      >;
      const named = tables(section(node))[0]?.flatMap(([field = ""]) => field.split(", "));
      assert.deepEqual(named?.toSorted(), Object.values(catalogue[node]?.label ?? {}).toSorted());
    }
  });

  it("stand beside the command's own help", () => {
    const shown = codeBlocks(section("The local server")).map(({ code }) => code);
    assert.ok(shown.includes(USAGE), "the README shows what xrtc-server --help prints");
  });
});
