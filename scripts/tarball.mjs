// @ts-check
/** The package as its users get it: packed by npm, and unpacked where it is looked at. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The repository's own folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");

/**
 * @typedef {object} PackReport what npm says about a tarball
 * @property {string} filename
 * @property {number} unpackedSize in bytes
 * @property {readonly { readonly path: string, readonly size: number }[]} files
 */

/**
 * Runs npm: the one that runs this process, else the one on the path.
 *
 * @param {readonly string[]} args
 * @param {string} [cwd]
 * @returns {Promise<string>} what it printed
 */
export async function npm(args, cwd = ROOT) {
  const own = process.env["npm_execpath"];
  const command = own === undefined ? "npm" : process.execPath;
  const all = own === undefined ? args : [own, ...args];
  const { stdout } = await run(command, [...all], { cwd, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

/**
 * Has npm pack what was built.
 *
 * @param {readonly string[]} args such as `--dry-run`, or `--pack-destination` and a folder
 * @returns {Promise<PackReport>}
 */
export async function pack(...args) {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  if (!existsSync(join(ROOT, manifest.main))) {
    throw new Error("There is nothing to pack yet: run npm run build first.");
  }
  const told = JSON.parse(await npm(["pack", "--json", "--ignore-scripts", ...args]));
  // A list in npm 10 and 11; an object by package name in later ones.
  /** @type {PackReport | undefined} */
  const report = Object.values(told)[0];
  if (report === undefined) throw new Error("npm packed nothing");
  return report;
}

/**
 * Packs what was built and unpacks it into a folder, which is made where it does not exist.
 *
 * @param {string} folder
 */
export async function unpackInto(folder) {
  mkdirSync(folder, { recursive: true });
  const { filename } = await pack("--pack-destination", folder);
  await run("tar", ["-xzf", filename, "--strip-components=1"], { cwd: folder });
  await rm(join(folder, filename));
}

/**
 * Gives `use` an empty folder that is gone when it ends.
 *
 * @template T
 * @param {(folder: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function inTemporaryFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), "xrtc-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
