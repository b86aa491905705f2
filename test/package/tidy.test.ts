import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, repositoryFiles } from "../support/tree.js";

/** What no file of the repository says, because it would be true on one machine only. */
const FOREIGN = [
  {
    what: "a host of packages",
    pattern: /\b(?:registry|deb|packages|mirrors?)\.[\w-]+(?:\.[\w-]+)+/i,
  },
  { what: "a folder of one machine", pattern: /(?<![\w.~}])\/(?:home|root|Users|work)\/[\w.-]/ },
];

interface Locked {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly extraneous?: boolean;
}

describe("the repository", () => {
  it("names no host of packages and no folder of one machine", () => {
    const found = repositoryFiles().flatMap((path) => {
      const lines = readFileSync(join(ROOT, path), "utf8").split("\n");
      return lines.flatMap((line, at) =>
        FOREIGN.filter(({ pattern }) => pattern.test(line)).map(
          ({ what }) => `${path}:${at + 1} names ${what}`,
        ),
      );
    });
    assert.equal(found.join("\n"), "");
  });

  it("locks its dependencies by content, not by address", () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, Locked>;
    };
    for (const [path, { resolved, integrity, inBundle, extraneous }] of Object.entries(packages)) {
      assert.equal(resolved, undefined, `${path} names an address`);
      // One npm keeps what nothing asks for, and the next one then refuses the lock.
      assert.equal(extraneous, undefined, `${path} is asked for by nothing`);
      if (path !== "" && inBundle !== true) assert.ok(integrity, `${path} has no checksum`);
    }
  });
});
