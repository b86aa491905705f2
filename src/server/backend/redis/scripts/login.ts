import { BELL } from "./bell.js";
import { RATE } from "./rate.js";
import { script } from "./script.js";

/** A key that nobody used for so long does not work any more, in ms: 3 months. */
export const UNUSED_MS_MAX = 90 * 24 * 3_600_000;

/**
 * Opens a session, or says why not.
 *
 * ARGV: 2 hash of the key · 3 whether the options name the key · 4 name of the session · 5 peer · 6 run of Redis that the
 * epoch depends on, or '' · 7 an epoch, should a new one begin · 8 ms after which an unused session ends · 9 ms between
 * two logins · 10 requests a second · 11 sessions at most · 12 whether the key's other sessions end
 */
export const LOGIN = script(
  "login",
  `${RATE}${BELL}
local hash, isLocal, name, peer, run, newEpoch = ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local idleMs, intervalMs = tonumber(ARGV[8]), tonumber(ARGV[9])
local sessionsMax, endsOthers = tonumber(ARGV[11]), ARGV[12] == '1'

if not isLocal then
  local usedAt = redis.call('HGET', base .. 'keys', hash)
  if not usedAt or now - tonumber(usedAt) > ${UNUSED_MS_MAX} then return {'refused'} end
end

local waitMs = take(hash, tonumber(ARGV[10]))
if waitMs > 0 then return {'tooMany', waitMs} end

-- Names of sessions by the time of their login. Those that are over are only looked for when room is needed.
local sessions = base .. 'sessions'
if redis.call('ZCARD', sessions) >= sessionsMax then
  for _, old in ipairs(redis.call('ZRANGE', sessions, 0, 999)) do
    if redis.call('EXISTS', base .. 's:' .. old) == 0 then redis.call('ZREM', sessions, old) end
  end
  if redis.call('ZCARD', sessions) >= sessionsMax then return {'full'} end
end

if intervalMs > 0 then
  local isFirst = redis.call('SET', base .. 'login:' .. hash, '1', 'NX', 'PX', intervalMs)
  if not isFirst then return {'tooFrequent'} end
end

local known = redis.call('HMGET', meta, 'epoch', 'run', 'ended:' .. hash)
local epoch = known[1]
if not epoch or (run ~= '' and known[2] ~= run) then
  epoch = newEpoch
  redis.call('HSET', meta, 'epoch', epoch, 'run', run)
end

-- Sessions of a key are numbered by how often its earlier ones were ended.
local generation = tonumber(known[3] or '0')
if endsOthers then
  generation = redis.call('HINCRBY', meta, 'ended:' .. hash, 1)
  ring('ended', hash .. ' ' .. int(generation))
end

if not isLocal then redis.call('HSET', base .. 'keys', hash, int(now)) end
redis.call('ZADD', sessions, int(now), name)
local session = base .. 's:' .. name
redis.call('HSET', session, 'key', hash, 'peer', peer, 'epoch', epoch, 'generation', int(generation))
redis.call('HSET', session, 'isLocal', ARGV[3], 'usedAt', int(now))
redis.call('PEXPIRE', session, idleMs)
return {'opened', epoch, generation}
`,
);
