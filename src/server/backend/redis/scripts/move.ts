import { script } from "./script.js";

/**
 * Moves a session in all portals or in none: compare and set, so that of two gets of one session in whatever processes
 * one gets an item.
 *
 * The session counts its moves: a process that knows of as many knows where it stands.
 *
 * Positions are fields `at:<portal>` of their hash, as "<sequence> <UNIX seconds of the move>".
 *
 * ARGV: 2 name of the session · 3 key of the hash · 4 its ms to live, or 0 where it lives with the session · 5 fields
 * from which on it is looked for old ones · 6 ms after which a position cannot matter · then portal, from, to for each
 */
export const MOVE = script(
  "move",
  `
local session, positions, liveMs = base .. 's:' .. ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('EXISTS', session) == 0 then return {'over'} end

local function at(portal)
  local text = redis.call('HGET', positions, 'at:' .. portal)
  return text and tonumber(string.match(text, '^%d+')) or 0
end

for i = 7, #ARGV, 3 do
  if at(ARGV[i]) ~= tonumber(ARGV[i + 1]) then
    local reply = {'elsewhere'}
    for j = 7, #ARGV, 3 do
      reply[#reply + 1] = ARGV[j]
      reply[#reply + 1] = at(ARGV[j])
    end
    return reply
  end
end

local seconds = math.floor(now / 1000)
for i = 7, #ARGV, 3 do
  redis.call('HSET', positions, 'at:' .. ARGV[i], ARGV[i + 2] .. ' ' .. int(seconds))
end
if liveMs > 0 then redis.call('PEXPIRE', positions, liveMs) end

-- Portals may come and go for ever: positions of which every item is gone are let go of, now and then.
local count = redis.call('HLEN', positions)
if count >= tonumber(ARGV[5]) and count % 64 == 0 then
  local before = seconds - tonumber(ARGV[6]) / 1000
  local all = redis.call('HGETALL', positions)
  for i = 1, #all, 2 do
    local movedAt = string.sub(all[i], 1, 3) == 'at:' and tonumber(string.match(all[i + 1], '%d+$'))
    if movedAt and movedAt < before then redis.call('HDEL', positions, all[i]) end
  end
end
return {'moved', redis.call('HINCRBY', session, 'moves', 1)}
`,
);
