/**
 * Lets at most `max` requests of a key pass in any second, wherever that second begins: a list of when each of the last
 * ones passed, in microseconds. (A counter for each second would let twice as many pass around its turn.)
 */
export const RATE = `
local WINDOW_US = 1000000
local function take(keyHash, max)
  local list = base .. 'rate:' .. keyHash
  local first = redis.call('LINDEX', list, 0)
  while first and tonumber(first) <= nowUs - WINDOW_US do
    redis.call('LPOP', list)
    first = redis.call('LINDEX', list, 0)
  end
  -- Redis' clock was set back: what is noted there would lock the key out until the clock is there again.
  if first and tonumber(first) > nowUs + WINDOW_US then
    redis.call('DEL', list)
  elseif redis.call('LLEN', list) >= max then
    return math.ceil((tonumber(first) + WINDOW_US - nowUs) / 1000)
  end
  redis.call('RPUSH', list, int(nowUs))
  redis.call('PEXPIRE', list, 2000)
  return 0
end
`;
