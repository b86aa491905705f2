import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The repository's own folder. */
export const ROOT = resolve(__dirname, "../..");

/** What a checkout may hold that is not part of the repository. */
const APART = /^(?:\.git|node_modules|dist|coverage|.*\.tgz|xrtc\.env)$/;

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (APART.test(entry.name)) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** Every file of the repository, sorted, as paths from the root with forward slashes. */
export const repositoryFiles = (): string[] => walk("").toSorted();

/**
 * The files below some folders of the repository, sorted.
 *
 * @param pattern - what a path from the root has to match
 */
export const sourceFiles = (folders: readonly string[], pattern = /./): string[] =>
  repositoryFiles().filter(
    (path) => folders.some((folder) => path.startsWith(`${folder}/`)) && pattern.test(path),
  );

/** An empty folder of one's own, gone at the end of the block that made it. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "xrtc-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
