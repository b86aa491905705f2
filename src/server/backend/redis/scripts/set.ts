import { BELL } from "./bell.js";
import { IDEMPOTENCY } from "./idempotency.js";
import { PRODUCERS } from "./producers.js";
import { ITEM_META } from "./read.js";
import { script } from "./script.js";

/** Traces of portals that are gone: ten times as many as there may be portals, as the memory engine has it. */
const TRACES_PER_PORTAL_MAX = 10;

/** How often a portal that is not full is looked at for items that are too old: at each so many items. */
const TRIM_EVERY_ITEMS = 64;

/**
 * Decides one set, whole and once: its place in its producer's order, its idempotency key, its room, and then its items
 * with their numbers and their timestamp, and the bell.
 *
 * A portal is a stream whose entries are numbered by their sequence. What is left of it when its content is gone is the
 * field `at:<portal>` of `meta`, "<sequence> <timestamp>", so that it goes on counting where it was.
 *
 * ARGV: 2 name of the session · 3 producer or '' · 4 its number · 5 idempotency key or '' · 6 fingerprint · 7 ms that
 * keys are kept · 8 keys at most · 9 why its content is refused, or '' · 10 the refusal for want of room for a portal ·
 * 11 portals · 12 items of a ring · 13 ms after which an item is gone · 14 producers · 15 ms that an early set waits ·
 * 16 how many portals it touches · their ids · then for each item the place of its portal among them, and its payload
 */
export const SET = script(
  "set",
  `${BELL}${IDEMPOTENCY}${PRODUCERS}${ITEM_META}
local producer, number, key, fingerprint = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local keepMs, keysMax, refusal = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local portalsMax, ringMax, ageMs = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local portalCount = tonumber(ARGV[16])

local next, isRefused, waitsUntil, isNew = number, false, 0, false
if producer ~= '' then
  if redis.call('EXISTS', session) == 0 then return {'late'} end
  next, isRefused, waitsUntil, isNew = placeOf(producer)
end

-- Where later sets of the producer may wait in some server process, they hear how this one went.
local function goOn(isApplied)
  if producer == '' then return nil end
  local following = isApplied and number + 1 or number
  setPlace(producer, following, not isApplied, waitsUntil)
  if waitsUntil < now then return nil end
  return ARGV[2] .. ' ' .. producer .. ' ' .. int(following) .. (isApplied and ' 0' or ' 1')
end

local function answer(reply, isApplied)
  local notice = goOn(isApplied)
  if notice then ring('order', notice) end
  return reply
end

local function repeated(decision)
  if string.sub(decision, 1, 1) == 'R' then return {'refused', string.sub(decision, 3)} end
  local timestamp, count = string.match(decision, '^A (%d+) (%d+)$')
  return {'repeat', tonumber(timestamp), tonumber(count)}
end

if key ~= '' then forget(keepMs, keysMax) end
local before = key ~= '' and decided(key, fingerprint, keepMs) or nil

if number < next then
  if before and before ~= 'conflict' then return repeated(before) end
  return {'past'}
end
if isNew and not makeRoom(tonumber(ARGV[14])) then return {'producers'} end
if number > next then
  if isRefused then return {'late'} end
  setPlace(producer, next, false, now + tonumber(ARGV[15]))
  return {'early'}
end

if before == 'conflict' then return answer({'conflict'}, false) end
if before then
  local reply = repeated(before)
  return answer(reply, reply[1] == 'repeat')
end

local function refuse(why)
  if key ~= '' then keep(key, fingerprint, 'R ' .. why, keepMs) end
  return answer({'refused', why}, false)
end
if refusal ~= '' then return refuse(refusal) end

local portals, sequences, firsts, timestamp, newcomers = {}, {}, {}, now, 0
local live = base .. 'portals'
for i = 1, portalCount do
  local portal = ARGV[16 + i]
  portals[i] = portal
  local livesUntil = redis.call('ZSCORE', live, portal)
  if not livesUntil or tonumber(livesUntil) < now then newcomers = newcomers + 1 end
  local trace = redis.call('HGET', meta, 'at:' .. portal) or redis.call('HGET', meta, 'forgotten')
  local sequence, newest = string.match(trace or '0 0', '^(%d+) (%d+)$')
  sequences[i] = tonumber(sequence)
  timestamp = math.max(timestamp, tonumber(newest))
end
if newcomers > 0 and redis.call('ZCOUNT', live, int(now), '+inf') + newcomers > portalsMax then
  return refuse(ARGV[10])
end

local itemsAt = 17 + portalCount
local itemCount = (#ARGV - itemsAt + 1) / 2
local order = redis.call('HINCRBY', meta, 'order', itemCount) - itemCount
local firstOrder = order + 1
local stamps = int(timestamp) .. ' ' .. int(now) .. ' '

-- Lets go of items that are too old, so that only those count as overrun that were not.
local function trim(stream)
  for _ = 1, 64 do
    local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', 64)
    local gone = 0
    for _, entry in ipairs(entries) do
      local _, arrival = parse(entry)
      if now - arrival <= ageMs then break end
      gone = gone + 1
    end
    if gone == 0 then return end
    redis.call('XTRIM', stream, 'MAXLEN', redis.call('XLEN', stream) - gone)
    if gone < #entries then return end
  end
end

local counts, overrun = {}, 0
for i = 1, portalCount do counts[i] = 0 end
for i = itemsAt, #ARGV, 2 do
  local at = tonumber(ARGV[i])
  counts[at] = counts[at] + 1
end
for i = 1, portalCount do
  local stream = base .. 'p:' .. portals[i]
  local length = redis.call('XLEN', stream)
  if length > 0 and (length + counts[i] > ringMax or sequences[i] % ${TRIM_EVERY_ITEMS} == 0) then
    trim(stream)
    length = redis.call('XLEN', stream)
  end
  overrun = overrun + math.max(0, length + counts[i] - ringMax)
  firsts[i] = sequences[i] + 1
end

for i = itemsAt, #ARGV, 2 do
  local at = tonumber(ARGV[i])
  local sequence = sequences[at] + 1
  sequences[at] = sequence
  order = order + 1
  local stream = base .. 'p:' .. portals[at]
  local id = int(sequence) .. '-0'
  redis.call('XADD', stream, 'MAXLEN', '=', ringMax, id, 'm', stamps .. int(order), 'p', ARGV[i + 1])
end

local touched = {}
for i = 1, portalCount do
  local portal = portals[i]
  redis.call('PEXPIRE', base .. 'p:' .. portal, ageMs + 1000)
  redis.call('HSET', meta, 'at:' .. portal, int(sequences[i]) .. ' ' .. int(timestamp))
  redis.call('ZADD', live, int(now + ageMs), portal)
  touched[i] = portal .. ' ' .. int(firsts[i]) .. ' ' .. int(sequences[i])
end

-- New portals start above all that are forgotten: a number that a reader has seen is a repeat to it.
local excess = newcomers > 0 and redis.call('ZCARD', live) - portalsMax * ${TRACES_PER_PORTAL_MAX + 1} or 0
if excess > 0 then
  local forgotten = redis.call('HGET', meta, 'forgotten') or '0 0'
  local sequence, newest = string.match(forgotten, '^(%d+) (%d+)$')
  sequence, newest = tonumber(sequence), tonumber(newest)
  local dead = redis.call('ZRANGEBYSCORE', live, '-inf', '(' .. int(now), 'LIMIT', 0, excess)
  for _, portal in ipairs(dead) do
    local a, b = string.match(redis.call('HGET', meta, 'at:' .. portal) or '0 0', '^(%d+) (%d+)$')
    sequence, newest = math.max(sequence, tonumber(a)), math.max(newest, tonumber(b))
    redis.call('HDEL', meta, 'at:' .. portal)
    redis.call('ZREM', live, portal)
  end
  redis.call('HSET', meta, 'forgotten', int(sequence) .. ' ' .. int(newest))
end

if key ~= '' then keep(key, fingerprint, 'A ' .. int(timestamp) .. ' ' .. int(itemCount), keepMs) end
local notice = goOn(true)
local entry = {'set', table.concat(touched, ' ')}
if notice then
  entry[3] = 'order'
  entry[4] = notice
end
ring(unpack(entry))
return {'applied', timestamp, itemCount, overrun, now, firstOrder, firsts}
`,
);
