/**
 * How sets with an idempotency key were decided: a hash by key, "<UNIX ms> <fingerprint> <decision>", and the keys in the
 * order of their age, each as "<UNIX ms> <key>". A decision is "A <timestamp> <items>" or "R <refusal>".
 */
export const IDEMPOTENCY = `
local decisions, queue = base .. 'decisions', base .. 'decided'

-- Lets go of what is too old or too many, a few at a time, so that no set pays for all of them.
local function forget(keepMs, keysMax)
  for _ = 1, 32 do
    local oldest = redis.call('LINDEX', queue, 0)
    if not oldest then return end
    local at, key = string.match(oldest, '^(%d+) (.*)$')
    if tonumber(at) > now - keepMs and redis.call('LLEN', queue) < keysMax then return end
    redis.call('LPOP', queue)
    -- One that was decided anew since has a place of its own.
    local text = redis.call('HGET', decisions, key)
    if text and string.match(text, '^%d+') == at then redis.call('HDEL', decisions, key) end
  end
end

-- The decision that a key stands for, 'conflict' when it stands for another body's, or nil.
local function decided(key, fingerprint, keepMs)
  local text = redis.call('HGET', decisions, key)
  if not text then return nil end
  local at, of, decision = string.match(text, '^(%d+) (%S+) (.*)$')
  if tonumber(at) <= now - keepMs then return nil end
  return of == fingerprint and decision or 'conflict'
end

local function keep(key, fingerprint, decision, keepMs)
  redis.call('HSET', decisions, key, int(now) .. ' ' .. fingerprint .. ' ' .. decision)
  redis.call('RPUSH', queue, int(now) .. ' ' .. key)
  redis.call('PEXPIRE', decisions, keepMs)
  redis.call('PEXPIRE', queue, keepMs)
end
`;
