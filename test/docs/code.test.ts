import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { manifest } from "../support/packed.js";
import { ROOT, TemporaryFolder } from "../support/tree.js";
import { codeBlocks, readme, readText, type CodeBlock } from "./readme.js";

const run = promisify(execFile);
const TSC = join(dirname(createRequire(__filename).resolve("typescript/package.json")), "bin/tsc");

/** File endings by the language of a block: each is a module of its own. */
const ENDINGS: Readonly<Record<string, string>> = { js: "mjs", ts: "mts" };
const PROGRAMS = ["set-and-get.mjs", "async-iteration.mjs", "latency-test.mjs"];

/** As strict as ours, against the sources. Plain JavaScript has no types for its parameters. */
const projectOf = (files: readonly string[]): object => ({
  compilerOptions: {
    ...{ target: "es2022", lib: ["es2023", "esnext.disposable"], module: "node20" },
    ...{ types: ["node"], typeRoots: [join(ROOT, "node_modules/@types")] },
    ...{ strict: true, noImplicitAny: false, exactOptionalPropertyTypes: true },
    ...{ noUncheckedIndexedAccess: true, skipLibCheck: true, noEmit: true },
    ...{ allowJs: true, checkJs: true },
    paths: {
      [manifest.name]: [join(ROOT, "src/index.ts")],
      [`${manifest.name}/server`]: [join(ROOT, "src/server/index.ts")],
    },
  },
  files,
});

/** What the compiler says against some modules, named by where they stand in the README. */
async function complaints(blocks: readonly Pick<CodeBlock, "language" | "code" | "line">[]) {
  using folder = new TemporaryFolder();
  const files = blocks.map(({ language, code, line }) => {
    const name = `README-line-${line}.${ENDINGS[language] ?? ""}`;
    writeFileSync(join(folder.path, name), code);
    return name;
  });
  writeFileSync(join(folder.path, "tsconfig.json"), JSON.stringify(projectOf(files)));
  // Awaited here, so that the folder lives for as long as the compiler reads it.
  return await run(process.execPath, [TSC, "-p", folder.path, "--pretty", "false"]).then(
    () => "",
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
}

describe("The README's code", function () {
  this.timeout(60_000);
  const modules = codeBlocks(readme).filter(({ language }) => language in ENDINGS);

  it("compiles against the sources", async () => {
    assert.ok(modules.length >= 5, "the README shows programs");
    assert.equal(await complaints(modules), "");
  });

  it("would not compile with a name that the package does not have", async () => {
    const code = `import { XrtcKlient } from "${manifest.name}";\nnew XrtcKlient();\n`;
    assert.match(await complaints([{ language: "js", code, line: 1 }]), /XrtcKlient/);
  });

  for (const name of PROGRAMS) {
    it(`has ${name} as it is in docs/sdk`, () => {
      const program = readText(`docs/sdk/${name}`);
      assert.ok(modules.some(({ code }) => code === program));
    });
  }

  it("is in languages that are checked, or is for a shell or a reader", () => {
    const known = new Set([...Object.keys(ENDINGS), "sh", "text"]);
    const others = codeBlocks(readme).filter(({ language }) => !known.has(language));
    assert.deepEqual(
      others.map(({ language, line }) => `${language} in line ${line}`),
      [],
    );
  });
});
