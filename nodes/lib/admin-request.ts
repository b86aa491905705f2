/** What the bodies of admin requests may hold; pure. */

import * as z from "zod";
import { Refusal } from "./admin-reply.js";
import { unsetVariable } from "./saved-settings.js";
import { type ConfigSettings, readConfigSettings } from "./settings/config.js";

/** Characters of a text field; nothing that is meant to be typed is longer. */
const TEXT_LENGTH_MAX = 2_048;

const text = z.string().trim().max(TEXT_LENGTH_MAX).default("");
const test = z.looseObject({ accountId: text, apiKey: text });
const start = z.looseObject({ email: z.email().max(254) });
const finish = z.strictObject({
  registration: z.string().max(64),
  code: z.string().trim().min(1).max(64),
});

/** Looks up what Node-RED would put in the place of `${NAME}` when it deploys. */
export type LookUp = (name: string) => unknown;

export interface WantedTest {
  readonly settings: ConfigSettings;
  readonly typed: { readonly accountId: string; readonly apiKey: string };
}

/** @throws Refusal; XrtcError XRTC_OPTIONS that names the field */
export function readTest(body: unknown, lookUp: LookUp): WantedTest {
  const { accountId, apiKey, ...fields } = parsed(test, body);
  return { settings: settingsOf(fields, lookUp), typed: { accountId, apiKey } };
}

/** @throws Refusal; XrtcError XRTC_OPTIONS that names the field */
export function readStart(
  body: unknown,
  lookUp: LookUp,
): { readonly settings: ConfigSettings; readonly email: string } {
  const { email, ...fields } = parsed(start, body);
  return { settings: settingsOf(fields, lookUp), email };
}

/** @throws Refusal */
export const readFinish = (body: unknown): z.output<typeof finish> => parsed(finish, body);

/** The dialog's fields as they will be read when they are deployed. */
function settingsOf(fields: object, lookUp: LookUp): ConfigSettings {
  const resolved = Object.entries(fields).map(([field, value]) => {
    const variable = unsetVariable(value);
    return [field, variable === undefined ? value : (lookUp(variable) ?? value)] as const;
  });
  return readConfigSettings(Object.fromEntries(resolved));
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join(".") || "the request";
  throw new Refusal(`${field}: ${issue?.message ?? "unreadable"}`, {
    remedy: "Correct the field that the message names.",
  });
}
