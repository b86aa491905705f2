import { build } from "esbuild";
import { join } from "node:path";

/** The script that pages get as `looks`: what lies in page/, in one piece. */
export async function pageScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "page/main.ts")],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "looks",
    // Whoever runs it may wrap it in a function.
    footer: { js: "globalThis.looks = looks;" },
    target: "es2022",
    logLevel: "error",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("nothing came of page/main.ts");
  return file.text;
}
