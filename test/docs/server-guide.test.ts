import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MEMBERS, OPTION_SPECS, variableOf } from "../../src/server/command/config-options.js";
import { Metrics } from "../../src/server/command/metrics.js";
import { configOfFile } from "../../src/server/command/sources.js";
import { TemporaryFolder } from "../support/tree.js";
import { codeBlocks, plain, readText, tables } from "./readme.js";
import { NO_STATS } from "../../src/server/stats.js";

const guide = readText("docs/server.md");

const tableWith = (head: string): string[][] => {
  const table = tables(guide).find((rows) => rows.some(([cell]) => plain(cell) === head));
  assert.ok(table !== undefined, `the guide has no table with ${head}`);
  return table.map((row) => row.map(plain));
};

describe("The guide to the server", () => {
  it("has every option, with its variable and its member of the config file", () => {
    assert.deepEqual(
      tableWith("--port"),
      MEMBERS.map((member) => [
        `--${OPTION_SPECS[member].argument}`,
        variableOf(member),
        member as string,
      ]),
    );
  });

  it("has every metric, and no other", async () => {
    const source = {
      stats: () => NO_STATS,
      trouble: () => undefined,
      certificateEndMs: () => 1,
    };
    const labels = { version: "1", durability: "memory", preset: "local" } as const;
    const { text } = await (await Metrics.create(source, labels)).text();
    const told = [...text.matchAll(/^# TYPE (xrtc_\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(
      tableWith("xrtc_up")
        .map(([name]) => name)
        .toSorted(),
      told.toSorted(),
    );
  });

  it("shows config files that the command takes", () => {
    using folder = new TemporaryFolder();
    const files = codeBlocks(guide).filter(({ language }) => language === "json5");
    assert.ok(files.length > 0);
    for (const { code } of files) {
      const path = join(folder.path, "config.json");
      writeFileSync(path, code);
      assert.doesNotThrow(() => configOfFile(path));
    }
  });
});
