#!lua flags=allow-oom
-- Something happened to a conversation or in an organisation: the next event of its
-- stream, and the same frame to whoever listens. Writers are many, so the number is
-- given here. A stream that is new (or was lost) begins with a `sync` in an epoch of its
-- own, so that a reader of the old one learns that something may be missing; so does one
-- that is older than it is kept: what was said is not kept for as long as something happens.
--
-- KEYS  1 fd:sev or fd:oev; the channel has the same name
-- ARGV  1 event  2 data, one line of JSON  3 seconds to keep a stream  4 events to keep
-- Replies: the event's id.
local function add(id, name, data)
  local frame = 'id: ' .. id .. '\nevent: ' .. name .. '\ndata: ' .. data .. '\n\n'
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], id, 'f', frame)
  redis.call('PUBLISH', KEYS[1], frame)
end

local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local now = redis.call('TIME')[1]
local epoch, n
if top then
  epoch, n = string.match(top[1], '^(%d+)-(%d+)$')
  n = tonumber(n) + 1
end
if not top or now - epoch > tonumber(ARGV[3]) then
  redis.call('DEL', KEYS[1])
  epoch, n = now, 1
  add(epoch .. '-0', 'sync', '{}')
end
local id = epoch .. '-' .. n
add(id, ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return id
