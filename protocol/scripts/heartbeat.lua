#!lua flags=allow-oom
-- Renews a worker's lease and those of its jobs. Checks each job's epoch before
-- it touches the claim: a worker that slept through its own take-over must not
-- steal the job back.
--
-- KEYS  1 fd:jobs  2 fd:alive  3.. fd:job of each job
-- ARGV  1 group  2 consumer  3 lease ms  4.. entry and epoch of each job
-- Replies: for each job 'ok', 'cancel' (its visitor cancelled it) or 'lost'.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 86400000)
local verdicts = {}
for i = 3, #KEYS do
  local entry, epoch = ARGV[4 + (i - 3) * 2], ARGV[5 + (i - 3) * 2]
  local job = redis.call('HMGET', KEYS[i], 'epoch', 'cancel', 'state')
  if job[1] ~= epoch then
    verdicts[#verdicts + 1] = 'lost'
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry, 'JUSTID')
    if job[3] == 'queued' then
      redis.call('HSET', KEYS[i], 'state', 'running', 'owner', ARGV[2])
    end
    verdicts[#verdicts + 1] = job[2] == '1' and 'cancel' or 'ok'
  end
end
return verdicts
