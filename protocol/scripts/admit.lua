#!lua
-- Admission: every limit, idempotency, the session lock, the queue bound and the
-- enqueue, in one round trip. All reads come first, then XADD, then the rest: a
-- Redis that is full refuses the whole script. Sent again with the same job id
-- (nginx lost the reply), it answers as before and changes nothing.
--
-- KEYS  1 fd:jobs  2 fd:job  3 fd:sess  4 fd:org  5 fd:lease  6 fd:load
--       7 session rate  8 address rate  9 fd:alive  10 idempotency (only with a key)
-- ARGV  1 job id  2 org  3 session  4 key generation  5 body hash
--       6 deadline ms  7 linger ms  8 queue length bound  9 queue bytes bound
--       10 session messages a minute  11 starts an hour and address
--       12 idempotency ttl ms  13 starts a session (1 or 0)  14.. entry fields
-- Replies
--   admitted  remaining limit reset_ms
--   duplicate job      mismatch job      busy job      stale
--   limited   which retry_after_ms limit
--   full      retry_after_ms     away      retry_after_ms (no worker is alive)
local job, hash = ARGV[1], ARGV[5]

local org = redis.call('HMGET', KEYS[4], 'gen', 'rpm', 'chats', 'quota', 'month', 'used', 'tat',
                       'slow')
if not org[1] or tonumber(ARGV[4]) < tonumber(org[1]) then
  return {'stale'}
end

if redis.call('EXISTS', KEYS[2]) == 1 then
  return {'admitted', -1, -1, 0} -- the reply to the first sending was lost
end

if KEYS[10] then
  local seen = redis.call('GET', KEYS[10])
  if seen then
    local id, body = string.match(seen, '^(%S+) (%S+)$')
    return {body == hash and 'duplicate' or 'mismatch', id}
  end
end

local running = redis.call('GET', KEYS[3])
if running then return {'busy', running} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('ZCOUNT', KEYS[9], now, '+inf') == 0 then return {'away', 5000} end

-- Unix days to YYYYMM (Howard Hinnant's civil_from_days), UTC as the plan says.
local function month_of(ms)
  local z = math.floor(ms / 86400000) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524)
                          - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local m = mp < 10 and mp + 3 or mp - 9
  return (yoe + era * 400 + (m <= 2 and 1 or 0)) * 100 + m
end
local month, quota = month_of(now), tonumber(org[4])
local used = tonumber(org[5]) == month and tonumber(org[6]) or 0

-- Over the month's messages a plan refuses, or slows down to this many a minute.
local over, slow = quota > 0 and used >= quota, tonumber(org[8] or 0)

-- GCRA: a request costs `interval`; `window` of them may come at once.
local function gcra(tat, interval, window)
  tat = math.max(tonumber(tat or 0) or 0, now)
  local next_tat = tat + interval
  local wait = next_tat - window - now
  return next_tat, wait, math.floor((window - (next_tat - now)) / interval)
end

local rpm = over and slow > 0 and slow or tonumber(org[2])
local tat, wait, remaining = gcra(org[7], 60000 / rpm, 60000)
if wait > 0 then return {'limited', 'rate', math.ceil(wait), rpm} end

local starts = ARGV[13] == '1'
local per_session, per_address = tonumber(ARGV[10]), tonumber(ARGV[11])
local session_tat, address_tat
if not starts then
  session_tat, wait = gcra(redis.call('GET', KEYS[7]), 60000 / per_session, 60000)
  if wait > 0 then return {'limited', 'session', math.ceil(wait), per_session} end
elseif per_address > 0 then
  address_tat, wait = gcra(redis.call('GET', KEYS[8]), 3600000 / per_address, 3600000)
  if wait > 0 then return {'limited', 'address', math.ceil(wait), per_address} end
end

local chats = tonumber(org[3])
if redis.call('ZCOUNT', KEYS[5], now, '+inf') >= chats then
  return {'limited', 'concurrency', 2000, chats}
end

if over and slow == 0 then return {'limited', 'quota', 3600000, quota} end

local fields = {}
local bytes = 0
local tester -- who asks a test's question: nobody else has a word in it
for i = 14, #ARGV do
  fields[#fields + 1] = ARGV[i]
  bytes = bytes + #ARGV[i]
  if i % 2 == 0 and ARGV[i] == 'test' then tester = cjson.decode(ARGV[i + 1]).by end
end
if over then
  fields[#fields + 1] = 'over'
  fields[#fields + 1] = '1'
end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[8])
   or tonumber(redis.call('HGET', KEYS[6], 'bytes') or 0) + bytes > tonumber(ARGV[9]) then
  return {'full', 2000}
end

local deadline = now + tonumber(ARGV[6])
local life = tonumber(ARGV[6]) + tonumber(ARGV[7])
local entry = redis.call('XADD', KEYS[1], '*', 'job', job, 'org', ARGV[2], 'session', ARGV[3],
                         'deadline', deadline, 'accepted', now, unpack(fields))
redis.call('HSET', KEYS[2], 'org', ARGV[2], 'session', ARGV[3], 'state', 'queued', 'epoch', 1,
           'deadline', deadline, 'hash', hash, 'entry', entry, 'bytes', bytes)
if tester then redis.call('HSET', KEYS[2], 'tester', tester) end
redis.call('PEXPIRE', KEYS[2], life)
redis.call('SET', KEYS[3], job, 'PX', life)
redis.call('HSET', KEYS[4], 'tat', string.format('%.3f', tat), 'month', month, 'used', used + 1)
redis.call('ZADD', KEYS[5], deadline, job)
redis.call('PEXPIRE', KEYS[5], life)
redis.call('HINCRBY', KEYS[6], 'bytes', bytes)
if session_tat then
  redis.call('SET', KEYS[7], string.format('%.3f', session_tat), 'PX', 120000)
elseif address_tat then
  redis.call('SET', KEYS[8], string.format('%.3f', address_tat), 'PX', 7200000)
end
if KEYS[10] then
  redis.call('SET', KEYS[10], job .. ' ' .. hash, 'PX', tonumber(ARGV[12]))
end
return {'admitted', remaining, rpm, math.ceil(tat - now)}
