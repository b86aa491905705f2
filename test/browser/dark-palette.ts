import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Line 5 brings a dark theme; line 4.1 leaves that to stylesheets of its users, with the same variables. */
const STYLES = "node_modules/@node-red/editor-client/public/red/style.min.css";

/**
 * The dark theme of line 5 as a stylesheet for line 4.1, in force where the browser prefers dark colours.
 *
 * @throws Error when line 5 keeps its dark colours elsewhere
 */
export function darkPalette(): string {
  const line5 = dirname(require.resolve("node-red-5/package.json"));
  const styles = readFileSync(join(line5, STYLES), "utf8");
  const colours = /html\.nr-theme-dark\{(color-scheme:dark;[^}]*)\}/.exec(styles)?.[1];
  if (colours === undefined) throw new Error("the dark theme of Node-RED 5 has moved");
  return `@media (prefers-color-scheme: dark) { html:root { ${colours} } }\n`;
}
