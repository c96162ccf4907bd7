-- renew(KEYS: lease; ARGV: token, lease_ms)
--   lease  hash  `token` and `until` of whoever holds it; `until` is 0 when it was given back
-- Lets the lease run anew from now if it is still the caller's. Returns {'ok'} or {'lost'}.
local held = redis.call('HMGET', KEYS[1], 'token', 'until')
if held[1] ~= ARGV[1] or tonumber(held[2]) == 0 then return {'lost'} end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
return {'ok'}
