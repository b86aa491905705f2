// @ts-check
/**
 * Makes the editor's side of the nodes: bundles each script of nodes/editor into its html, where Node-RED and the
 * tools that judge a package look for it, with the styles that it names, and puts icons and locales beside it.
 *
 * Usage: node scripts/build-editor.mjs [target directory]
 */
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = path.join(root, "nodes");
const target = path.resolve(process.argv[2] ?? path.join(root, "dist", "nodes"));

const SCRIPT_TAG = /<script type="text\/javascript" src="(editor\/[\w-]+\.ts)"><\/script>/;
const STYLE_TAG = /<link rel="stylesheet" href="(editor\/[\w-]+\.css)" \/>/;

/**
 * The rules that dialogs share with the runtime assert relations of their constants as they load. In a browser nobody
 * would read the report; the tests do.
 *
 * @type {import("esbuild").Plugin}
 */
const withoutAssertions = {
  name: "without-assertions",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:assert$/ }, () => ({ path: "assert", namespace: "nothing" }));
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({
      contents: "export const strict = () => {};",
    }));
  },
};

/** @param {string} entry */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [path.join(source, entry)],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2020",
    platform: "browser",
    charset: "utf8",
    plugins: [withoutAssertions],
    logLevel: "error",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${entry}: nothing came of it`);
  return file.text;
}

/** @param {string} page */
async function withStyles(page) {
  const file = STYLE_TAG.exec(page)?.[1];
  if (file === undefined) return page;
  const styles = await readFile(path.join(source, file), "utf8");
  return page.replace(STYLE_TAG, () => `<style>\n${styles}</style>`);
}

/** @param {string} name */
async function buildPage(name) {
  const html = await readFile(path.join(source, name), "utf8");
  const entry = SCRIPT_TAG.exec(html)?.[1];
  if (entry === undefined) throw new Error(`${name}: no script of nodes/editor in it`);
  const script = await bundle(entry);
  if (script.includes("</script")) throw new Error(`${entry}: would end its own script tag`);
  // A function, because a $ in the script means something in a replacement text.
  const page = html.replace(
    SCRIPT_TAG,
    () => `<script type="text/javascript">\n${script}</script>`,
  );
  await writeFile(path.join(target, name), await withStyles(page));
}

await mkdir(target, { recursive: true });
const pages = (await readdir(source)).filter((name) => name.endsWith(".html"));
await Promise.all([
  ...pages.map(buildPage),
  cp(path.join(source, "icons"), path.join(target, "icons"), { recursive: true }),
  cp(path.join(source, "locales"), path.join(target, "locales"), { recursive: true }),
]);
