#!lua flags=allow-oom
-- Counts a crash against the job that a worker was working on when it died, as its
-- crumb file says, whoever has taken the job over meanwhile.
--
-- KEYS  1 fd:job
-- Replies: the job's crashes; 0 where it is over and forgotten.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], 'crashes', 1)
