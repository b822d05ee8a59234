#!lua flags=allow-oom
-- Takes a job over from a worker that is gone (or from this worker's own earlier
-- life): a new epoch, which fences the old owner in Redis and in PostgreSQL.
--
-- KEYS  1 fd:jobs  2 fd:job
-- ARGV  1 group  2 consumer  3 entry  4 least idle ms
-- Replies: nothing where somebody else was faster, or {epoch, crashes, cancel}.
-- epoch 0: the job's hash is gone, past its deadline and linger.
local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[4], ARGV[3], 'JUSTID')
if #claimed == 0 then return false end
if redis.call('EXISTS', KEYS[2]) == 0 then return {0, 0, 0} end
local epoch = redis.call('HINCRBY', KEYS[2], 'epoch', 1)
redis.call('HSET', KEYS[2], 'owner', ARGV[2], 'state', 'running')
local job = redis.call('HMGET', KEYS[2], 'crashes', 'cancel')
return {epoch, tonumber(job[1] or 0), tonumber(job[2] or 0)}
