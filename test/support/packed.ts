import { readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { unpackInto } from "../../scripts/tarball.mjs";
import { ROOT, type TemporaryFolder } from "./tree.js";

/** The package's own description of itself. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly main: string;
  readonly types: string;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly keywords: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly "node-red": {
    readonly version: string;
    readonly nodes: Readonly<Record<string, string>>;
  };
}

export const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

/**
 * A project that has the package installed from its tarball, with the dependencies of this repository beside it, so
 * that nothing has to be fetched.
 *
 * @returns the package's folder in it
 */
export async function installPacked(folder: TemporaryFolder): Promise<string> {
  const target = join(folder.path, "node_modules", manifest.name);
  await unpackInto(target);
  for (const name of Object.keys(manifest.dependencies)) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder.path, "node_modules", name), "dir");
  }
  return target;
}

/** Every file below a folder, as paths from it. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
