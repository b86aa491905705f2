import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import { text } from "node:stream/consumers";
import { LAYERS, forbidden, layerOf } from "../../scripts/layers.mjs";
import { ROOT, TemporaryFolder, sourceFiles } from "../support/tree.js";

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["']([^"']+)["']/g;

/** What each source file imports, by path from the root. */
const imports = new Map(
  sourceFiles(["src", "nodes"], /\.ts$/).map((path) => [
    path,
    [...readFileSync(join(ROOT, path), "utf8").matchAll(IMPORT)].map((match) => match[1] ?? ""),
  ]),
);

/** The files that a file imports, or the folder's own names for what is not there. */
const targets = (path: string): string[] =>
  (imports.get(path) ?? [])
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts"));

/** A way from a file back to itself, or nothing. */
function cycleFrom(
  path: string,
  trail: readonly string[] = [],
  seen = new Set<string>(),
): string[] | undefined {
  if (trail[0] === path) return [...trail, path];
  if (seen.has(path)) return undefined;
  seen.add(path);
  for (const target of targets(path)) {
    const cycle = cycleFrom(target, [...trail, path], seen);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

interface Report {
  readonly diagnostics: readonly { code: string; severity: string; filename: string }[];
}

/** What the linter says about a folder. */
async function lint(folder: string): Promise<Report> {
  const oxlint = join(
    dirname(createRequire(__filename).resolve("oxlint/package.json")),
    "bin/oxlint",
  );
  const child = spawn(process.execPath, [oxlint, "--format=json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout)) as Report;
}

describe("the arrows between the layers", () => {
  it("point down in every import of src and nodes", () => {
    const wrong = [...imports].flatMap(([path, specifiers]) =>
      specifiers.flatMap((specifier) => {
        const why = forbidden(path, specifier);
        return why === undefined ? [] : [`${path}: "${specifier}": ${why}`];
      }),
    );
    assert.equal(wrong.join("\n"), "");
  });

  it("leave no source file without a layer", () => {
    assert.deepEqual(
      [...imports.keys()].filter((path) => layerOf(path) === undefined),
      [],
    );
  });

  it("close no circle between files", () => {
    const cycles = [...imports.keys()]
      .map((path) => cycleFrom(path))
      .filter((cycle) => cycle !== undefined);
    assert.deepEqual(cycles, []);
  });

  it("close no circle between layers", () => {
    const place = new Map(LAYERS.map(({ name }, at) => [name, at]));
    for (const { name, below } of LAYERS) {
      for (const other of below) assert.ok(place.has(other), `${name} names ${other}`);
      const reached = new Set<string>();
      const visit = (layer: string): void => {
        for (const next of LAYERS.find((known) => known.name === layer)?.below ?? []) {
          if (reached.has(next)) continue;
          reached.add(next);
          visit(next);
        }
      };
      visit(name);
      assert.ok(!reached.has(name), `${name} reaches itself`);
    }
  });

  it("are what the linter tells", async () => {
    // A house of our own, with one broken arrow in each file, under the repository's own rule.
    const broken = new Map([
      ["src/session/login-state.ts", "../writer/writer.js"],
      ["src/subscription/stream-state.ts", "node:fs"],
      ["src/transport/cookies.ts", "../status.js"],
      ["src/server/router.ts", "../client/client.js"],
      ["src/server/handlers/login.ts", "node-red"],
      ["src/protocol/item.ts", "node:timers/promises"],
      ["nodes/lib/settings/out.ts", "../../../src/protocol/item.js"],
      ["nodes/xrtc-in.ts", "./xrtc-out.js"],
    ]);
    const sound = new Map([
      ["src/session/session.ts", "../status.js"],
      ["src/server/engine/memory.ts", "../session-table.js"],
      ["src/protocol/limits.ts", "node:assert"],
      ["nodes/lib/status.ts", "../../src/index.js"],
      ["nodes/xrtc-out.ts", "./lib/settings/out.js"],
    ]);
    const { jsPlugins, rules } = JSON.parse(readFileSync(join(ROOT, ".oxlintrc.json"), "utf8")) as {
      jsPlugins: readonly string[];
      rules: Record<string, unknown>;
    };
    using house = new TemporaryFolder();
    const write = (path: string, content: string): void => {
      mkdirSync(dirname(join(house.path, path)), { recursive: true });
      writeFileSync(join(house.path, path), content);
    };
    for (const [path, specifier] of [...broken, ...sound]) {
      write(path, `export * from "${specifier}";\n`);
    }
    for (const path of ["scripts/layers.mjs", "scripts/lint-arrows.mjs"]) {
      write(path, readFileSync(join(ROOT, path), "utf8"));
    }
    const rule = { "xrtc/arrows": rules["xrtc/arrows"] };
    write(".oxlintrc.json", JSON.stringify({ jsPlugins, rules: rule }));

    const report = await lint(house.path);
    const told = report.diagnostics.filter(({ code }) => code === "xrtc(arrows)");
    assert.deepEqual(
      told.map(({ filename }) => filename).toSorted(),
      [...broken.keys()].toSorted(),
    );
    assert.ok(told.every(({ severity }) => severity === "error"));
  });
});
