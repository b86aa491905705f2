import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { ROOT, repositoryFiles } from "../support/tree.js";
import { readme, readText } from "./readme.js";

const PAGES = repositoryFiles().filter(
  (path) => path === "README.md" || /^docs\/.*\.md$/.test(path),
);

/** A page without its code: brackets in code are no links. */
const prose = (markdown: string): string =>
  markdown.replace(/^```[^]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");

const linksOf = (page: string): string[] =>
  [...prose(readText(page)).matchAll(/\]\((?<target>[^)\s]+)\)/g)].map(
    ({ groups }) => groups?.["target"] ?? "",
  );

/** The name by which a heading is linked to, as code hosts make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\- ]/gu, "")
    .replaceAll(" ", "-");

const anchorsIn = (markdown: string): Set<string> =>
  new Set(
    [...markdown.replace(/^```[^]*?^```$/gm, "").matchAll(/^#+ (?<heading>.*)$/gm)].map(
      ({ groups }) => `#${anchorOf(groups?.["heading"] ?? "")}`,
    ),
  );

describe("The documentation's links", () => {
  it("lead to files that exist, and to headings that are there", () => {
    const links = PAGES.flatMap((page) => linksOf(page).map((target) => ({ page, target })));
    const dead = links.filter(({ page, target }) => {
      if (/^https?:/.test(target)) return false;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : posix.join(dirname(page), decodeURIComponent(path));
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsIn(readText(file)).has(`#${anchor}`);
    });
    assert.ok(links.length > 10, "links were found");
    assert.deepEqual(dead, []);
  });

  it("use TLS", () => {
    assert.deepEqual(
      PAGES.flatMap(linksOf).filter((target) => target.startsWith("http:")),
      [],
    );
  });

  it("name an example that exists", () => {
    const [, name] =
      /Import → Examples → @xrtc-community\/node-red-xrtc → (.+?)\*\*/.exec(readme) ?? [];
    assert.ok(name !== undefined, "the README names an example");
    assert.ok(existsSync(join(ROOT, `examples/${name}.json`)), `there is no example "${name}"`);
  });

  it("name only commands that package.json has", () => {
    const { scripts } = JSON.parse(readText("package.json")) as { scripts: object };
    const named = [...readme.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name);
    assert.deepEqual(
      named.filter((name) => name !== undefined && !(name in scripts)),
      [],
    );
  });
});
