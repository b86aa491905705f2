import { script } from "./script.js";

/**
 * Begins a registration. `KEYS[1]` is a hash of the field `count`; all registrations share one slot.
 *
 * ARGV: 2 token · 3 email · 4 hash of the code · 5 ms that a code is good for · 6 registrations at most
 */
export const BEGIN_REGISTRATION = script(
  "beginRegistration",
  `
local pending = base .. 'pending'
redis.call('ZREMRANGEBYSCORE', pending, '-inf', '(' .. int(now))
if redis.call('ZCARD', pending) >= tonumber(ARGV[6]) then return {'full'} end
local codeMs = tonumber(ARGV[5])
redis.call('ZADD', pending, int(now + codeMs), ARGV[2])
local registration = base .. 'r:' .. ARGV[2]
redis.call('HSET', registration, 'email', ARGV[3], 'code', ARGV[4], 'sentAt', int(now), 'sends', 1, 'wrong', 0)
-- A while longer than its code, so that one who comes too late hears so.
redis.call('PEXPIRE', registration, codeMs * 2)
return {'begun'}
`,
);

/**
 * Makes another code for a registration.
 *
 * ARGV: 2 token · 3 email · 4 hash of the code · 5 ms that a code is good for · 6 times that a code is sent
 */
export const SEND_AGAIN = script(
  "sendAgain",
  `
local registration = base .. 'r:' .. ARGV[2]
local found = redis.call('HMGET', registration, 'email', 'sentAt', 'sends')
if found[1] ~= ARGV[3] then return {'unknown'} end
local codeMs = tonumber(ARGV[5])
if now - tonumber(found[2]) > codeMs then
  redis.call('DEL', registration)
  redis.call('ZREM', base .. 'pending', ARGV[2])
  return {'over'}
end
if tonumber(found[3]) >= tonumber(ARGV[6]) then return {'tooOften'} end
redis.call('HSET', registration, 'code', ARGV[4], 'sentAt', int(now))
redis.call('HINCRBY', registration, 'sends', 1)
redis.call('PEXPIRE', registration, codeMs * 2)
redis.call('ZADD', base .. 'pending', int(now + codeMs), ARGV[2])
return {'sent'}
`,
);

/**
 * Ends a registration whose code is right. What is compared are hashes: the time that it takes tells nothing.
 *
 * ARGV: 2 token · 3 hash of the code · 4 ms that a code is good for · 5 wrong codes after which it is over
 */
export const FINISH_REGISTRATION = script(
  "finishRegistration",
  `
local registration = base .. 'r:' .. ARGV[2]
local found = redis.call('HMGET', registration, 'code', 'sentAt')
if not found[1] then return {'unknown'} end
local function over(kind)
  redis.call('DEL', registration)
  redis.call('ZREM', base .. 'pending', ARGV[2])
  return {kind}
end
if now - tonumber(found[2]) > tonumber(ARGV[4]) then return over('over') end
if found[1] == ARGV[3] then return over('right') end
if redis.call('HINCRBY', registration, 'wrong', 1) >= tonumber(ARGV[5]) then return over('tooOften') end
return {'wrong'}
`,
);
