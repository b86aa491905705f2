// @ts-check
/**
 * `npm run screenshots`: takes the pictures of docs/images anew, from the editor of a real Node-RED with the package in
 * it, in Chromium. The browser tests take them on their way, so that a picture shows what was tested.
 */
import { rm } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../docs/images", import.meta.url));
await rm(folder, { recursive: true, force: true });
process.env["XRTC_PICTURES"] = folder;
process.argv.push("--mocha", "test/browser/browser.test.ts");
await import("./test.mjs");
