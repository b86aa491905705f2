/** The package under test as it is shipped: its build, not its sources. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(__filename);

/**
 * A module of a build.
 *
 * @param root - folder of the package, which has been built
 * @param name - path of the module below its `src`, without an ending
 */
export const fromBuild = (root: string, name: string): unknown =>
  load(path.join(root, "dist/src", `${name}.js`));

/** Whether a build has the engine that keeps items in Redis. */
export const hasRedisEngine = (root: string): boolean =>
  existsSync(path.join(root, "dist/src/server/backend/redis"));

/** This package's own folder. */
export const ROOT = path.resolve(__dirname, "..");

/** Credentials that open nothing but a server which a measurement started. */
export const ACCOUNT_ID = "AC0000000000000001";
export const API_KEY = "0123456789abcdefghijklmnopqrstuv";
export const PORTAL_ID = "bench";

/** Above what any machine does, and small enough for a ring of so many moments. */
export const UNLIMITED_PER_SECOND = 200_000;
