import type { Case } from "../case.js";
import { CALLS } from "./calls.js";
import { EXTENSIONS } from "./extensions.js";
import { GETS } from "./gets.js";
import { ITEMS } from "./items.js";
import { REGISTRATION } from "./registration.js";
import { SESSIONS } from "./sessions.js";
import { SHARES } from "./shares.js";
import { STREAMS } from "./streams.js";

/** Everything that the suite asks. */
export const CASES: readonly Case[] = [
  ...CALLS,
  ...REGISTRATION,
  ...SESSIONS,
  ...ITEMS,
  ...GETS,
  ...STREAMS,
  ...SHARES,
  ...EXTENSIONS,
];
