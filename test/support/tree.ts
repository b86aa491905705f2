import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";

/** The repository's own folder. */
export const ROOT = resolve(__dirname, "../..");

/**
 * The files below some folders of the repository, sorted.
 *
 * @param folders - from the root; one that does not exist has no files
 * @param pattern - what a path has to match
 * @returns paths from the root, with forward slashes
 */
export function sourceFiles(folders: readonly string[], pattern = /./): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (pattern.test(path)) found.push(path);
    }
  };
  const present = new Set(readdirSync(ROOT));
  for (const folder of folders) if (present.has(folder.split("/")[0] ?? "")) visit(folder);
  return found.map((path) => path.split(sep).join("/")).toSorted();
}

/** An empty folder of one's own, gone at the end of the block that made it. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "xrtc-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
