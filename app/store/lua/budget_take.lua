-- budget_take(KEYS: budget; ARGV: cost, tokens per second, most tokens, least that must be left,
--             ms that the caller waits in the queue)
--   budget  hash  "tokens" there were at server time "at"; "frozen" until this server time, by a
--                 freeze that is "frozen_ms" long: one that ends further ahead has ended, since the
--                 clock was set back
-- Whoever waits has taken its tokens already, so there may be less than none, and nobody who comes
-- later goes first. The wait for those before counts as patience, and of one's own cost what is more
-- than a second's: what costs much must not always find the queue too long for it alone.
-- Returns {"ok", ms to wait}, or {"wait", ms}: nothing was taken. A cost of 0 waits for a freeze only.
local OWN_MS = 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, rate = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000
local most, floor, patience = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local known = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'frozen', 'frozen_ms')
local frozen = tonumber(known[3] or '0') - now
if frozen < 0 or frozen > tonumber(known[4] or frozen) then frozen = 0 end
if frozen > patience then return {'wait', math.ceil(frozen)} end
if cost == 0 then return {'ok', math.ceil(frozen)} end

local tokens = most
if known[1] then
    -- The clock may step back; that must not cost anything.
    tokens = math.min(most, tonumber(known[1]) + math.max(now - tonumber(known[2]), 0) * rate)
end
-- What costs more than there can ever be is let through when the budget is full.
local wait = math.ceil(math.max(math.min(cost + floor, most) - tokens, 0) / rate)
if wait - math.min(cost / rate, OWN_MS) > patience then return {'wait', wait} end

redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - cost), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {'ok', math.max(wait, math.ceil(frozen))}
