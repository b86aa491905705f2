/** The names of what is kept in Redis. What stands in braces decides the slot: all of one account lies in one. */

/** Where all names of an account begin. */
export const accountBase = (prefix: string, accountId: string): string =>
  `${prefix}:{${accountId}}:`;

/** Where the names of the registrations begin; no account id has a letter after AC. */
export const registrationsBase = (prefix: string): string => `${prefix}:{registrations}:`;

/** The set of the ids of registered accounts. */
export const registeredKey = (prefix: string): string => `${prefix}:{accounts}:registered`;

export const metaKey = (base: string): string => `${base}meta`;
export const bellKey = (base: string): string => `${base}bell`;
export const keysKey = (base: string): string => `${base}keys`;
/** What a session is, how far it has read, and the places of its producers. */
export const sessionKey = (base: string, name: string): string => `${base}s:${name}`;
/** How far a key's sessions have read, where they continue one another. */
export const sharedPositionsKey = (base: string, keyHash: string): string => `${base}at:${keyHash}`;
