#!lua flags=allow-oom
-- A worker asks a visitor to confirm calls of tools: notes the questions in the job's
-- hash, where confirm.lua finds them, and reads what was said. Safe to repeat; whoever
-- takes the job over meets the same questions, since a call's id is made of what it does.
--
-- KEYS  1 fd:job
-- ARGV  1 epoch  2.. call id and the question's end (unix ms) of each
-- Replies: call id and word of each, the word "" while nothing was said; nothing where a
-- later epoch owns the job.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch ~= ARGV[1] then return {} end
local words = {}
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], 'ask:' .. ARGV[i], ARGV[i + 1])
  words[#words + 1] = ARGV[i]
  words[#words + 1] = redis.call('HGET', KEYS[1], 'say:' .. ARGV[i]) or ''
end
return words
