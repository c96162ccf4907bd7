-- budget_take(KEYS: budget; ARGV: cost, tokens per second, most tokens, least that must be left)
--   budget  hash  "tokens" there were at server time "at"; "frozen" until this server time, by a
--                 freeze that is "frozen_ms" long: one that ends further ahead has ended, since the
--                 clock was set back
-- Returns {"ok"}, or {"wait", ms}: nothing was taken.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, rate = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000
local most, floor = tonumber(ARGV[3]), tonumber(ARGV[4])

local known = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'frozen', 'frozen_ms')
local frozen = tonumber(known[3] or '0')
if frozen > now and frozen <= now + tonumber(known[4] or frozen) then
    return {'wait', math.ceil(frozen - now)}
end

local tokens = most
if known[1] then
    -- The clock may step back; that must not cost anything.
    tokens = math.min(most, tonumber(known[1]) + math.max(now - tonumber(known[2]), 0) * rate)
end
-- What costs more than there can ever be is let through when the budget is full.
local needed = math.min(cost + floor, most)
if tokens < needed then return {'wait', math.ceil((needed - tokens) / rate)} end

redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - cost), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {'ok'}
