import { createHash } from "node:crypto";

/** A Lua script that Redis runs as one step: what it reads is still so when it writes. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  /** What Redis knows it by once it is loaded. */
  readonly sha: string;
}

/**
 * What all scripts begin with. `KEYS[1]` is the account's `meta` hash and names the slot; `ARGV[1]` is the beginning of
 * the names of all its keys. Time is that of Redis, so that it is the same for every server process.
 */
const PRELUDE = `
local meta, base = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local nowUs = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(nowUs / 1000)
-- Concatenation would print a long number with an exponent.
local function int(number) return string.format('%.0f', number) end
`;

export function script(name: string, body: string): Script {
  const lua = `${PRELUDE}${body}`;
  return { name, lua, sha: createHash("sha1").update(lua).digest("hex") };
}
