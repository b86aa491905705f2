import { strict as assert } from "node:assert";
import { dirname, join } from "node:path/posix";
import { readText } from "./readme.js";

/** What an entry point exports: names, and the file that each comes from. */
function exportsOf(entry: string): { readonly name: string; readonly path: string }[] {
  const statement = /^export (?:type )?\{(?<names>[^}]*)\} from "(?<from>[^"]+)";/gm;
  return [...readText(entry).matchAll(statement)].flatMap(({ groups = {} }) => {
    const path = join(dirname(entry), (groups["from"] ?? "").replace(/\.js$/, ".ts"));
    const names = (groups["names"] ?? "").split(",").map((name) => name.trim());
    return names
      .filter((name) => name !== "")
      .map((name) => ({ name: name.replace(/^type /, ""), path }));
  });
}

describe("Everything that the package exports", () => {
  for (const entry of ["src/index.ts", "src/server/index.ts"]) {
    it(`is documented: ${entry}`, () => {
      const exported = exportsOf(entry);
      assert.ok(exported.length > 5);
      const bare = exported.filter(({ name, path }) => {
        const kinds = "class|function|async function|interface|type|const";
        return !new RegExp(`\\*/\\nexport (?:${kinds}) ${name}\\b`).test(readText(path));
      });
      assert.deepEqual(bare, []);
    });
  }
});
