/** A browser with the editor of a real Node-RED in it, for the tests of one suite. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { NodeRedProcess } from "../support/node-red-process.js";
import { TemporaryFolder } from "../support/tree.js";
import { launchChromium } from "./chromium.js";
import { Editor } from "./editor.js";
import { darkPalette } from "./dark-palette.js";

/** How long in ms one test may take, on a machine that is busy with others. */
const TEST_MS_MAX = 120_000;

/** A folder for pictures of the page as it was when a test failed, when somebody asks for them. */
const FAILURES = process.env["XRTC_FAILURES"];

export interface Bench {
  readonly nodeRed: NodeRedProcess;
  readonly editor: Editor;
}

/**
 * Sets the bench up before a suite's first test and clears it after its last.
 *
 * @returns what stands on it, once it does
 */
export function useBench(): Bench {
  let browser: Browser | undefined;
  let nodeRed: NodeRedProcess | undefined;
  let folder: TemporaryFolder | undefined;
  let editor: Editor | undefined;

  before(async function () {
    this.timeout(2 * TEST_MS_MAX);
    browser = await launchChromium(this);
    folder = new TemporaryFolder();
    nodeRed = await NodeRedProcess.start({
      settings: { editorTheme: theme(folder) },
      // Nobody answers there: what a test means for the internet does not get any further.
      env: { HTTPS_PROXY: "http://127.0.0.1:9" },
    });
    editor = await Editor.open(browser, nodeRed);
  });

  beforeEach(function () {
    this.currentTest?.timeout(TEST_MS_MAX);
  });

  afterEach(async function () {
    const { state, title } = this.currentTest ?? {};
    if (state === "failed" && FAILURES !== undefined) {
      await editor?.page.screenshot({ path: join(FAILURES, `${title ?? "test"}.png`) });
    }
    editor?.assertUntroubled();
  });

  after(async function () {
    this.timeout(2 * TEST_MS_MAX);
    await editor?.[Symbol.asyncDispose]();
    await browser?.close();
    await nodeRed?.[Symbol.asyncDispose]();
    folder?.[Symbol.dispose]();
  });

  return {
    get nodeRed() {
      return standing(nodeRed);
    },
    get editor() {
      return standing(editor);
    },
  };
}

function standing<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the bench is not set up");
  return part;
}

/** The editor's own look; line 4.1 has no dark one, and takes a stylesheet for it. */
function theme(folder: TemporaryFolder): object {
  // Without a catalogue, which the editor would fetch from the internet.
  const plain = { tours: false, codeEditor: { lib: "ace" }, palette: { catalogues: [] } };
  if (process.env["NODE_RED_PKG"] === "node-red-5") return plain;
  const css = join(folder.path, "dark.css");
  writeFileSync(css, darkPalette());
  return { ...plain, page: { css: [css] } };
}
