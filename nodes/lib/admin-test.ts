/** "Test connection": a login and one request, over the live session where there is one. */

import { type Clock, isXrtcError, type XrtcClient, XrtcError } from "../../src/index.js";
import type { TestAnswer } from "../contract/admin.js";
import { listPortals } from "./admin-portals.js";
import type { Connection } from "./connection.js";

/** Milliseconds for a test in all. */
export const TEST_MS_MAX = 10_000;

/**
 * Logs in, unless that has been done, and lists the account's portals.
 *
 * @param connection - is closed at the end
 * @param signal - gives the test up
 * @throws XrtcError what went wrong; XRTC_TIMEOUT after {@link TEST_MS_MAX}
 */
export async function testConnection(
  connection: Connection,
  clock: Clock,
  signal: AbortSignal,
): Promise<TestAnswer> {
  const abort = new AbortController();
  const cancel = clock.schedule(TEST_MS_MAX, () => abort.abort(late()));
  const either = AbortSignal.any([signal, abort.signal]);
  try {
    const client = await connection.client(either);
    await client.open({ signal: either });
    return await measure(client, clock, either);
  } catch (thrown) {
    const status = connection.status.value;
    // What it waited for says more than that it waited.
    if (isXrtcError(thrown, "XRTC_TIMEOUT") && status.kind === "waiting") throw status.cause;
    throw thrown;
  } finally {
    cancel();
    connection.close();
  }
}

async function measure(client: XrtcClient, clock: Clock, signal: AbortSignal): Promise<TestAnswer> {
  const startedAt = clock.now();
  const portals = await listPortals(client, signal);
  const roundTripMs = Math.round((clock.now() - startedAt) * 10) / 10;
  return { roundTripMs, clockOffsetMs: client.clockOffsetMs ?? null, portals };
}

const late = (): XrtcError =>
  new XrtcError("XRTC_TIMEOUT", `The test took longer than ${TEST_MS_MAX / 1_000} s.`, {
    retryable: true,
  });
