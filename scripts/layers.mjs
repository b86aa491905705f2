// @ts-check
/**
 * The arrows of the house: what each layer may import. Arrows point down; siblings do not see each other. The lint rule
 * of lint-arrows.mjs and test/package/arrows.test.ts both read this table.
 */
import { isBuiltin } from "node:module";
import { posix } from "node:path";

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {RegExp} files paths from the root that belong to it, unless an earlier layer has them
 * @property {readonly string[]} below names of the layers that it may import, besides itself
 * @property {true} [apart] its files do not import each other
 */

const GROUND = ["errors", "primitives"];
const SHARED = ["protocol", ...GROUND];
const CLIENT_SIDE = ["session", "transport", "writer", "subscription", "status", ...SHARED];
const SURFACES = ["index", "server-index"];

/** @type {readonly Layer[]} */
export const LAYERS = [
  { name: "primitives", files: /^src\/primitives\//, below: [] },
  { name: "errors", files: /^src\/errors\.ts$/, below: ["primitives"] },
  { name: "status", files: /^src\/status\.ts$/, below: GROUND },
  { name: "protocol", files: /^src\/protocol\//, below: GROUND },
  { name: "transport", files: /^src\/transport\//, below: SHARED },
  { name: "session", files: /^src\/session\//, below: ["transport", "status", ...SHARED] },
  { name: "writer", files: /^src\/writer\//, below: ["status", ...SHARED] },
  { name: "subscription", files: /^src\/subscription\//, below: ["status", ...SHARED] },
  { name: "client", files: /^src\/client\//, below: CLIENT_SIDE },
  { name: "index", files: /^src\/index\.ts$/, below: ["client", ...CLIENT_SIDE] },
  { name: "server-index", files: /^src\/server\/index\.ts$/, below: ["server", ...SHARED] },
  { name: "command", files: /^src\/server\/(?:command\/|cli\.ts$)/, below: ["server", ...SHARED] },
  { name: "server", files: /^src\/server\//, below: SHARED },
  // Not the public surface: a browser would get the whole client with it.
  { name: "editor", files: /^nodes\/editor\//, below: ["nodes-contract", "protocol"] },
  { name: "nodes-contract", files: /^nodes\/contract\//, below: [] },
  { name: "nodes-lib", files: /^nodes\/lib\//, below: ["nodes-contract", ...SURFACES] },
  { name: "nodes", files: /^nodes\//, below: ["nodes-lib", ...SURFACES], apart: true },
];

/** Files that decide and do not act: time, chance and I/O are their parameters, so they import no module that acts. */
const PURE = [/^src\/protocol\//, /^src\/.*-state\.ts$/, /^src\/writer\/batcher\.ts$/];

/** The one module of Node.js that acts on nothing. */
const HARMLESS = "node:assert";

/**
 * @param {string} path from the root, with forward slashes
 * @returns {Layer | undefined}
 */
export function layerOf(path) {
  return LAYERS.find(({ files }) => files.test(path));
}

/**
 * @param {string} path the importing file, from the root, with forward slashes
 * @param {string} specifier what it imports
 * @returns {string | undefined} why it may not, or nothing when it may
 */
export function forbidden(path, specifier) {
  const layer = layerOf(path);
  if (layer === undefined) return undefined;
  return specifier.startsWith(".")
    ? forbiddenFile(layer, posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts"))
    : forbiddenModule(layer, path, specifier);
}

/** @param {Layer} layer @param {string} target */
function forbiddenFile({ name, below, apart }, target) {
  const other = layerOf(target)?.name;
  if (other === name && apart !== true) return undefined;
  if (other !== undefined && below.includes(other)) return undefined;
  return `${name} may import ${below.join(", ") || "no other layer"}; this is ${other ?? target}.`;
}

/** @param {Layer} layer @param {string} path @param {string} specifier */
function forbiddenModule({ name }, path, specifier) {
  if (name === "editor" && isBuiltin(specifier)) return "Editor scripts run in a browser.";
  if (path.startsWith("src/")) {
    if (/^@?node-red($|\/)/.test(specifier)) return "src knows nothing of Node-RED.";
    if (/^(node:)?timers($|\/)/.test(specifier)) return "Take a Clock (src/primitives/clock.ts).";
  }
  const acts = specifier === "undici" || (isBuiltin(specifier) && specifier !== HARMLESS);
  return acts && PURE.some((files) => files.test(path))
    ? "A pure file takes time, chance and I/O as parameters."
    : undefined;
}
