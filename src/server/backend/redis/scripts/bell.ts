/** Server processes read an account's bell from its last entry they saw; older ones nobody needs. In ms. */
const BELL_MS = 60_000;

/** Entries of a bell. A process that was away for longer sees a gap in their numbers and looks at everything. */
const BELL_ENTRIES_MAX = 1_000;

/** Tells every server process that waits for it what happened in an account. Entries are numbered without a gap. */
export const BELL = `
local function ring(...)
  local number = redis.call('HINCRBY', meta, 'bell', 1)
  redis.call('XADD', base .. 'bell', 'MAXLEN', '~', ${BELL_ENTRIES_MAX}, int(number) .. '-0', ...)
  redis.call('PEXPIRE', base .. 'bell', ${BELL_MS})
  return number
end
`;
