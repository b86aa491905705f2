import * as z from "zod";
import { isPortalId } from "./item.js";

/**
 * The shapes on the wire, in the wire's spelling. Unknown members are tolerated everywhere (zod drops them).
 * Nothing outside `protocol/` knows these names.
 */

export const wirePortalId = z
  .string()
  .refine(isPortalId, { error: "a portal id is 1 to 32 ASCII letters and digits" });

const timestamp = z.int().nonnegative();

export const wireNewItem = z.object({
  portalid: wirePortalId,
  payload: z.string(),
});

export const wireItem = z.object({
  portalid: wirePortalId,
  payload: z.string(),
  servertimestamp: timestamp,
  seq: z.int().positive().optional(),
});

export const wireLoginRequest = z.object({ accountid: z.string(), apikey: z.string() });

export const wireLoginAnswer = z.object({
  servertimestamp: timestamp,
  epoch: z.string().max(64).optional(),
  extensions: z.array(z.string()).max(32).optional(),
});

export const wireSetRequest = z.object({ items: z.array(wireNewItem).min(1) });

export const wireRequestedPortal = z.object({
  portalid: wirePortalId,
  servertimestamp: timestamp.nullish(),
});

export const wireGetRequest = z.object({
  portals: z.array(wireRequestedPortal).nullish(),
  mode: z.enum(["probe", "watch", "stream"]).nullish(),
  schedule: z.enum(["LIFO", "FIFO"]).nullish(),
  cutoff: z.int().min(-1).nullish(),
});

export const wireError = z.object({
  error: z.object({
    errorgroup: z.int(),
    errorcode: z.int(),
    errormessage: z.string(),
  }),
});

export const wireRegistrationStartRequest = z.object({
  email: z.email(),
  registrationtoken: z.string().nullish(),
});
export const wireRegistrationStartAnswer = z.object({ registrationtoken: z.string().min(1) });

export const wireRegistrationCodeRequest = z.object({
  registrationtoken: z.string(),
  emailcode: z.string(),
});
export const wireRegistrationCodeAnswer = z.object({
  accountid: z.string().min(1),
  apikey: z.string().min(1),
  apikeyname: z.string().optional(),
});
