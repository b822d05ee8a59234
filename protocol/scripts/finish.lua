#!lua flags=allow-oom
-- The last step of a job, after the database commit and the terminal event: the
-- entry leaves the queue and what the job held is given back. Safe to repeat.
--
-- KEYS  1 fd:jobs  2 fd:job  3 fd:sess  4 fd:lease  5 fd:load
-- ARGV  1 group  2 entry  3 job id  4 epoch  5 state  6 linger ms
-- Replies: 1 done (now or before), 0 a later epoch owns the job.
local job = redis.call('HMGET', KEYS[2], 'epoch', 'bytes')
if job[1] and job[1] ~= ARGV[4] then return 0 end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 then
  if redis.call('XLEN', KEYS[1]) == 0 then
    redis.call('DEL', KEYS[5]) -- an empty queue weighs nothing: drift ends here
  else
    redis.call('HINCRBY', KEYS[5], 'bytes', -tonumber(job[2] or 0))
  end
end
if job[1] then
  redis.call('HSET', KEYS[2], 'state', ARGV[5])
  redis.call('PEXPIRE', KEYS[2], tonumber(ARGV[6]))
end
if redis.call('GET', KEYS[3]) == ARGV[3] then redis.call('DEL', KEYS[3]) end
redis.call('ZREM', KEYS[4], ARGV[3])
return 1
