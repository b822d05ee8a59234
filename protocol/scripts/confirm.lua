#!lua flags=allow-oom
-- A visitor's word on a call of a tool that waits for it (ask.lua). The first word
-- stands; a worker learns of it by a hint or by its next look.
--
-- KEYS  1 fd:job
-- ARGV  1 org  2 session ("" = any session of the org: a secret key asks)
--       3 call id  4 accept or decline
-- Replies: the word that stands, or nothing where the job is unknown, another org's or
-- another session's, or does not ask (any more).
local job = redis.call('HMGET', KEYS[1], 'org', 'session', 'state', 'ask:' .. ARGV[3],
                       'say:' .. ARGV[3], 'cancel')
if not job[1] or job[1] ~= ARGV[1] or (ARGV[2] ~= '' and job[2] ~= ARGV[2]) then
  return false
end
if job[5] then return job[5] end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if (job[3] ~= 'running' and job[3] ~= 'queued') or job[6] then return false end
if not job[4] or tonumber(job[4]) <= now then return false end
redis.call('HSET', KEYS[1], 'say:' .. ARGV[3], ARGV[4])
return ARGV[4]
