/** How a deployed config node stands, as its dialog is told. */

import type { StatusAnswer } from "../contract/admin.js";
import type { Connection } from "./connection.js";
import { lookOf, unverifiedLook } from "./look.js";
import { textOf, type Translate } from "./look-text.js";

export function statusAnswer(connection: Connection, translate: Translate): StatusAnswer {
  const state = connection.state.value;
  const status = connection.status.value;
  const verified = lookOf(undefined, status);
  const look = connection.isUnverified ? unverifiedLook(verified) : verified;
  const client = state.kind === "ready" ? state.client : undefined;
  return {
    kind: status.kind,
    status: look === undefined ? "" : textOf(look, translate),
    ...(look === undefined ? {} : { fill: look.fill, shape: look.shape }),
    ...("cause" in status ? { code: status.cause.code } : {}),
    usage: client === undefined ? null : usageOf(client.usage.value),
    clockOffsetMs: client?.clockOffsetMs ?? null,
  };
}

type Used = NonNullable<StatusAnswer["usage"]>;

const usageOf = ({ used, max, month, level }: Omit<Used, "max"> & { max: number }): Used => ({
  used,
  max: max === Number.MAX_SAFE_INTEGER ? null : max,
  month,
  level,
});
