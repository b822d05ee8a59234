#!lua
-- A session start outside a chat: the generation and the limits, nothing stored
-- but their state (a session is a row only once its first message is there).
--
-- KEYS  1 fd:org  2 address rate
-- ARGV  1 key generation  2 starts an hour and address (0 = no limit)
-- Replies as admit.lua: admitted | stale | limited.
local org = redis.call('HMGET', KEYS[1], 'gen', 'rpm', 'tat')
if not org[1] or tonumber(ARGV[1]) < tonumber(org[1]) then
  return {'stale'}
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function gcra(tat, interval, window)
  tat = math.max(tonumber(tat or 0) or 0, now)
  local next_tat = tat + interval
  return next_tat, next_tat - window - now, math.floor((window - (next_tat - now)) / interval)
end

local rpm = tonumber(org[2])
local tat, wait, remaining = gcra(org[3], 60000 / rpm, 60000)
if wait > 0 then return {'limited', 'rate', math.ceil(wait), rpm} end

local per_address = tonumber(ARGV[2])
if per_address > 0 then
  local address_tat
  address_tat, wait = gcra(redis.call('GET', KEYS[2]), 3600000 / per_address, 3600000)
  if wait > 0 then return {'limited', 'address', math.ceil(wait), per_address} end
  redis.call('SET', KEYS[2], string.format('%.3f', address_tat), 'PX', 7200000)
end
redis.call('HSET', KEYS[1], 'tat', string.format('%.3f', tat))
return {'admitted', remaining, rpm, math.ceil(tat - now)}
