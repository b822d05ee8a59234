#!lua flags=allow-oom
-- Renews a worker's lease and those of its jobs, or, when it leaves, gives them back.
-- Checks each job's epoch before it touches the claim: a worker that slept through
-- its own take-over must not steal the job back.
--
-- KEYS  1 fd:jobs  2 fd:alive  3.. fd:job of each job
-- ARGV  1 group  2 consumer  3 lease ms (0: it leaves)  4 idle ms that each claim gets:
--       0, or when leaving enough for another worker to take it  5 linger ms
--       6.. entry and epoch of each job
-- Replies: for each job 'ok', 'cancel' (its visitor cancelled it), 'lost' (a later
-- epoch owns it) or 'gone' (its hash has expired).
if ARGV[3] == '0' then
  redis.call('ZREM', KEYS[2], ARGV[2])
else
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 86400000)
end
local verdicts = {}
for i = 3, #KEYS do
  local entry, epoch = ARGV[6 + (i - 3) * 2], ARGV[7 + (i - 3) * 2]
  local job = redis.call('HMGET', KEYS[i], 'epoch', 'cancel', 'state')
  if not job[1] then
    verdicts[#verdicts + 1] = 'gone'
  elseif job[1] ~= epoch then
    verdicts[#verdicts + 1] = 'lost'
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry, 'IDLE', ARGV[4], 'JUSTID')
    redis.call('PEXPIRE', KEYS[i], tonumber(ARGV[5]), 'GT') -- while it waits for PostgreSQL
    if job[3] == 'queued' then
      redis.call('HSET', KEYS[i], 'state', 'running', 'owner', ARGV[2])
    end
    verdicts[#verdicts + 1] = job[2] == '1' and 'cancel' or 'ok'
  end
end
return verdicts
