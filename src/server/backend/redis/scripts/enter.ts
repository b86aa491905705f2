import { RATE } from "./rate.js";
import { script } from "./script.js";

/** How often a key's last use is noted while its session goes on, in ms. */
const USE_NOTED_EVERY_MS = 24 * 3_600_000;

/**
 * Finds the session that a request belongs to, and counts the request.
 *
 * ARGV: 2 name of the session · 3 peer · 4 run of Redis that the epoch depends on, or '' · 5 ms after which an unused
 * session ends · 6 requests a second · 7 requests a month, or -1 · 8 the month · 9 its end in UNIX ms
 */
export const ENTER = script(
  "enter",
  `${RATE}
local session = base .. 's:' .. ARGV[2]
local found = redis.call('HMGET', session, 'key', 'peer', 'epoch', 'generation', 'isLocal', 'usedAt', 'moves')
local hash = found[1]
if not hash or found[2] ~= ARGV[3] then return {'denied'} end
local known = redis.call('HMGET', meta, 'epoch', 'run', 'bell', 'ended:' .. hash)
if found[3] ~= known[1] or (ARGV[4] ~= '' and known[2] ~= ARGV[4]) then return {'denied'} end
if found[4] ~= (known[4] or '0') then return {'denied'} end
redis.call('PEXPIRE', session, ARGV[5])

local waitMs = take(hash, tonumber(ARGV[6]))
if waitMs > 0 then return {'second', waitMs} end
local monthMax = tonumber(ARGV[7])
if monthMax >= 0 then
  local month = base .. 'month:' .. ARGV[8]
  if tonumber(redis.call('GET', month) or '0') >= monthMax then return {'month'} end
  if redis.call('INCR', month) == 1 then redis.call('PEXPIREAT', month, ARGV[9]) end
end

-- A key whose session lasts for months is not taken for unused.
if found[5] ~= '1' and now - tonumber(found[6]) > ${USE_NOTED_EVERY_MS} then
  redis.call('HSET', session, 'usedAt', int(now))
  redis.call('HSET', base .. 'keys', hash, int(now))
end
return {'entered', hash, tonumber(found[4]), found[3], tonumber(known[3] or '0'), now, found[5],
  tonumber(found[7] or '0')}
`,
);
