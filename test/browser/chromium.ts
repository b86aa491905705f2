/** The browser of this machine, in which nothing of the internet can be reached. */

import { existsSync } from "node:fs";
import type { Context } from "mocha";
import { chromium, type Browser } from "playwright-core";

/** Where it is looked for, unless `CHROMIUM` names the place. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // Whoever asks for another machine is told that there is none; a proxy would answer for it.
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  // The same letters on every screen, and fields as wide as in other places.
  "--font-render-hinting=none",
  "--lang=en-US",
];

/**
 * Starts Chromium, or leaves the suite out where a developer has none.
 *
 * @throws Error when there is none in CI: there nothing may be left out
 */
export async function launchChromium(suite: Context): Promise<Browser> {
  const { CHROMIUM, CI } = process.env;
  const paths = CHROMIUM === undefined ? PATHS : [CHROMIUM];
  const executablePath = paths.find((path) => existsSync(path));
  if (executablePath === undefined) {
    const need = "the browser tests need Chromium: apt-get install chromium fonts-dejavu-core";
    if (CI !== undefined) throw new Error(need);
    console.log(`    left out: ${need}, or set CHROMIUM to its path`);
    return suite.skip();
  }
  return chromium.launch({ executablePath, args: FLAGS });
}
