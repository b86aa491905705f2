import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pack } from "../../scripts/tarball.mjs";
import { filesBelow, installPacked, manifest } from "../support/packed.js";
import { ROOT, TemporaryFolder, sourceFiles } from "../support/tree.js";

/** What the package holds besides compiled files: each one is named, so that none slips in. */
const NAMED = readFileSync(join(__dirname, "expected-files.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

/** What a source file is compiled to. */
const compiled = (path: string): string[] => {
  const stem = `dist/${path.slice(0, -".ts".length)}`;
  return [`${stem}.js`, `${stem}.d.ts`];
};

describe("the package", function () {
  this.timeout(60_000);
  let report: Awaited<ReturnType<typeof pack>>;
  let held: Set<string>;

  before(async () => {
    report = await pack("--dry-run");
    held = new Set(report.files.map(({ path }) => path));
  });

  it("holds the compiled sources and the files that are named, and nothing else", () => {
    const sources = sourceFiles(["src", "nodes"], /(?<!\.d)\.ts$/).filter(
      (path) => !path.startsWith("nodes/editor/"),
    );
    const expected = new Set([...NAMED, ...sources.flatMap(compiled)]);
    assert.deepEqual(
      {
        unexpected: [...held].filter((path) => !expected.has(path)),
        missing: [...expected].filter((path) => !held.has(path)),
      },
      { unexpected: [], missing: [] },
      "test/package/expected-files.txt names what is not compiled",
    );
  });

  it("is small", () => {
    const { unpackedSize } = report;
    assert.ok(unpackedSize < 2_000_000, `${unpackedSize} bytes unpacked`);
  });

  it("tells nothing of the machine it was made on", async () => {
    using folder = new TemporaryFolder();
    for (const file of filesBelow(await installPacked(folder))) {
      const content = readFileSync(file, "utf8");
      assert.ok(!content.includes(ROOT), `${file} names the folder it was built in`);
      assert.doesNotMatch(content, /sourceMappingURL=/, `${file} names a source map`);
    }
  });

  it("runs nothing when it is installed", () => {
    const atInstall = ["preinstall", "install", "postinstall", "prepare", "prepublish", "prepack"];
    assert.deepEqual(
      atInstall.filter((name) => name in manifest.scripts),
      [],
    );
  });

  it("names only files that it holds, and a command that a shell can start", () => {
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    const nodes = Object.values(manifest["node-red"].nodes);
    const named = [
      ...[manifest.main, manifest.types, ...entries, ...Object.values(manifest.bin)],
      ...nodes.flatMap((node) => [node, node.replace(/\.js$/, ".html")]),
    ].map((path) => path.replace(/^\.\//, ""));
    assert.deepEqual(
      named.filter((path) => !held.has(path)),
      [],
    );
    for (const command of Object.values(manifest.bin)) {
      assert.match(readFileSync(join(ROOT, command), "utf8"), /^#!\/usr\/bin\/env node\n/);
    }
  });

  it("is found by its keyword, and asks for few other packages", () => {
    assert.ok(manifest.keywords.includes("node-red"));
    assert.ok(Object.keys(manifest.dependencies).length <= 6, "the flow library allows six");
  });

  it("tells Node-RED of every node there is", () => {
    const sources = sourceFiles(["nodes"], /^nodes\/[^/]+(?<!\.d)\.ts$/);
    assert.deepEqual(
      Object.values(manifest["node-red"].nodes).toSorted(),
      sources.map((path) => `dist/${path.replace(/\.ts$/, ".js")}`),
    );
  });
});
