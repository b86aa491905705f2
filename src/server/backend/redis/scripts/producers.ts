/**
 * The order of each producer's sets within its session: none is applied before its predecessor. Fields `by:<producer>`
 * of the session's hash, as "<next number> <1 when that one was refused> <UNIX ms until which later ones wait> <UNIX ms
 * of its last set>". A number is used up when its set was applied, or was applied before.
 */
export const PRODUCERS = `
local session = base .. 's:' .. ARGV[2]

local function placeOf(producer)
  local text = redis.call('HGET', session, 'by:' .. producer)
  if not text then return 1, false, 0, true end
  local next, refused, waitsUntil = string.match(text, '^(%d+) (%d) (%d+)')
  return tonumber(next), refused == '1', tonumber(waitsUntil), false
end

local function setPlace(producer, next, isRefused, waitsUntil)
  local place = int(next) .. (isRefused and ' 1 ' or ' 0 ') .. int(waitsUntil) .. ' ' .. int(now)
  redis.call('HSET', session, 'by:' .. producer, place)
end

-- A client takes a new producer whenever a number will never be used: the one that rested longest is forgotten.
local function makeRoom(max)
  local count = tonumber(redis.call('HGET', session, 'producers') or '0')
  if count >= max then
    local all = redis.call('HGETALL', session)
    local oldest, oldestAt
    for i = 1, #all, 2 do
      if string.sub(all[i], 1, 3) == 'by:' then
        local waitsUntil, usedAt = string.match(all[i + 1], '(%d+) (%d+)$')
        if tonumber(waitsUntil) < now and (not oldest or tonumber(usedAt) < oldestAt) then
          oldest, oldestAt = all[i], tonumber(usedAt)
        end
      end
    end
    if not oldest then return false end
    redis.call('HDEL', session, oldest)
  else
    redis.call('HINCRBY', session, 'producers', 1)
  end
  return true
end
`;
