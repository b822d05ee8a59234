-- Chat admission as one would write it with lua-nginx-module: a small RESP client over
-- pooled cosockets, the JSON body decoded and checked, then the same script.
local cjson_ok, cjson = pcall(require, "cjson.safe")
local random = math.random
local M = {}

local function connect(address)
  local sock = ngx.socket.tcp()
  sock:settimeouts(1000, 1000, 1000)
  local ok, err = sock:connect(address)
  if not ok then return nil, err end
  return sock
end

local function send(sock, words)
  local out = { "*", #words, "\r\n" }
  for i = 1, #words do
    local w = tostring(words[i])
    out[#out + 1] = "$" .. #w .. "\r\n"
    out[#out + 1] = w
    out[#out + 1] = "\r\n"
  end
  return sock:send(out)
end

local function read(sock)
  local line, err = sock:receive()
  if not line then return nil, err end
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "+" then return rest end
  if kind == "-" then return nil, rest end
  if kind == ":" then return tonumber(rest) end
  if kind == "$" then
    local n = tonumber(rest)
    if n < 0 then return ngx.null end
    local data = sock:receive(n)
    sock:receive(2)
    return data
  end
  local list = {}
  for i = 1, tonumber(rest) do list[i] = read(sock) end
  return list
end

local function call(address, words)
  local sock, err = connect(address)
  if not sock then return nil, err end
  send(sock, words)
  local reply, rerr = read(sock)
  sock:setkeepalive(60000, 200)
  return reply, rerr
end

local function refuse(status, title)
  ngx.status = status
  ngx.header["Content-Type"] = "application/problem+json"
  ngx.print('{"title":"' .. title .. '","status":' .. status .. '}')
end

local function hex(n)
  local t = {}
  for i = 1, n / 4 do t[i] = string.format("%04x", random(0, 65535)) end
  return table.concat(t)
end

function M.chat(jobs, live, sha)
  local key = ngx.var.http_x_api_key
  if not key then return refuse(401, "no key") end
  -- Debian has no SHA-256 for Lua: the peer is given the cheaper digest
  local digest = ngx.md5(key)
  local entry = call(live, { "HMGET", "fd:key:" .. digest, "org", "id", "kind", "gen" })
  if not entry or entry[1] == ngx.null then return refuse(401, "unknown key") end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body then return refuse(400, "no body") end
  if cjson_ok then
    local json = cjson.decode(body)
    if type(json) ~= "table" then return refuse(400, "not JSON") end
    if type(json.message) ~= "string" or json.message == "" then return refuse(422, "message") end
  elseif not body:find('"message"%s*:%s*"') then
    return refuse(422, "message")
  end
  local org, job, session = entry[1], "0-" .. hex(32), hex(32)
  local reply, err = call(jobs, {
    "EVALSHA", sha, 9, "fd:jobs:{0}", "fd:job:{0}:" .. job, "fd:sess:{0}:" .. org .. ":" .. session,
    "fd:org:{0}:" .. org, "fd:lease:{0}:" .. org, "fd:load:{0}", "fd:rate:{0}:" .. org .. ":" .. session,
    "fd:rate:{0}:a:127.0.0.1", "fd:alive:{0}", job, org, session, entry[4], ngx.md5(body), 300000, 900000, 1000000000,
    100000000000, 1000000, 0, 86400000, 1, "request", ngx.var.request_id, "key", entry[2], "body", body })
  if not reply then return refuse(503, err or "redis") end
  if reply[1] ~= "admitted" then return refuse(429, reply[1]) end
  ngx.status = 202
  ngx.header["Content-Type"] = "application/json"
  ngx.print('{"job_id":"' .. job .. '","session_id":"' .. session .. '"}')
end

return M
