import { script } from "./script.js";

/**
 * What an item's meta field says: "<timestamp> <arrival> <order>". Sequence numbers of a portal have no gap, so that its
 * stream can be searched by halves: both times only rise with them as long as Redis' clock does.
 */
export const ITEM_META = `
local function parse(entry)
  local timestamp, arrival, order = string.match(entry[2][2], '^(%d+) (%d+) (%d+)$')
  return tonumber(timestamp), tonumber(arrival), tonumber(order)
end
local function sequenceOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
`;

/**
 * Reads as much of some portals as the next line of an answer may need: from the oldest item that is asked for on, or
 * back from the newest.
 *
 * ARGV: 2 items · 3 bytes: what comes is more than either, or all there is · 4 ms after which an item is gone · then for
 * each query: portal, after, from timestamp or 0, cutoff or -1, 'FIFO' or 'LIFO'
 */
export const READ = script(
  "read",
  `${ITEM_META}
local itemsMax, bytesMax, ageMs = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local CHUNK = 64

local function query(portal, after, from, cutoffMs, isFifo)
  local stream = base .. 'p:' .. portal
  local trace = redis.call('HGET', meta, 'at:' .. portal)
  local newest = trace and tonumber(string.match(trace, '^%d+')) or 0
  local oldestEntry = newest > 0 and redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not oldestEntry then return {newest, newest + 1, {}} end

  -- The first of the sequence numbers from low on that is as wanted, or the one after the newest.
  local function search(low, isWanted)
    local high = newest + 1
    while low < high do
      local middle = math.floor((low + high) / 2)
      local id = int(middle) .. '-0'
      if isWanted(redis.call('XRANGE', stream, id, id)[1]) then high = middle else low = middle + 1 end
    end
    return low
  end
  local function notOlder(ms)
    return function(entry)
      local _, arrival = parse(entry)
      return now - arrival <= ms
    end
  end

  local first = sequenceOf(oldestEntry)
  if not notOlder(ageMs)(oldestEntry) then first = search(first, notOlder(ageMs)) end
  first = math.max(first, math.min(after + 1, newest + 1))
  if from > 0 then
    first = search(first, function(entry)
      local timestamp = parse(entry)
      return timestamp >= from
    end)
  end
  local start = first
  if cutoffMs >= 0 then start = search(start, notOlder(cutoffMs)) end

  local items, bytes, count = {}, 0, 0
  local low, high = start, newest
  while low <= high and count <= itemsMax and bytes <= bytesMax do
    local entries
    if isFifo then
      entries = redis.call('XRANGE', stream, int(low) .. '-0', '+', 'COUNT', CHUNK)
      low = low + CHUNK
    else
      entries = redis.call('XREVRANGE', stream, int(high) .. '-0', int(low) .. '-0', 'COUNT', CHUNK)
      high = high - CHUNK
    end
    for _, entry in ipairs(entries) do
      if count > itemsMax or bytes > bytesMax then break end
      items[#items + 1] = entry[2][2]
      items[#items + 1] = entry[2][4]
      bytes = bytes + #entry[2][4]
      count = count + 1
    end
  end
  return {newest, first, items, start}
end

local reply = {now}
for i = 5, #ARGV, 5 do
  local after, from, cutoffMs = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  reply[#reply + 1] = query(ARGV[i], after, from, cutoffMs, ARGV[i + 4] == 'FIFO')
end
return reply
`,
);

/**
 * The latest item of every portal.
 *
 * ARGV: 2 ms after which an item is gone
 */
export const LATEST = script(
  "latest",
  `${ITEM_META}
local ageMs = tonumber(ARGV[2])
local reply = {now}
for _, portal in ipairs(redis.call('ZRANGEBYSCORE', base .. 'portals', int(now), '+inf')) do
  local entry = redis.call('XREVRANGE', base .. 'p:' .. portal, '+', '-', 'COUNT', 1)[1]
  if entry then
    local _, arrival = parse(entry)
    if now - arrival <= ageMs then
      reply[#reply + 1] = portal
      reply[#reply + 1] = sequenceOf(entry)
      reply[#reply + 1] = entry[2][2]
      reply[#reply + 1] = entry[2][4]
    end
  end
end
return reply
`,
);
