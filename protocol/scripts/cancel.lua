#!lua flags=allow-oom
-- Marks a job as cancelled by its visitor; the worker learns of it by a hint and,
-- if that is lost, with its next heartbeat. The first of cancel and commit wins.
--
-- KEYS  1 fd:job
-- ARGV  1 org  2 session ("" = any session of the org: a secret key asks)
-- Replies: the job's state after the call, or nothing where the job is unknown,
-- another org's or another session's.
local job = redis.call('HMGET', KEYS[1], 'org', 'session', 'state')
if not job[1] or job[1] ~= ARGV[1] or (ARGV[2] ~= '' and job[2] ~= ARGV[2]) then
  return false
end
if job[3] == 'queued' or job[3] == 'running' then
  redis.call('HSET', KEYS[1], 'cancel', 1)
  return 'cancelling'
end
return job[3]
