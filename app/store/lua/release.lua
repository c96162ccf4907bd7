-- release(KEYS: lease; ARGV: token)
--   lease  hash  `token` and `until` of whoever holds it, and whether it was `wanted` meanwhile
-- Gives the lease back if it is still the caller's. Returns {'ok', wanted} or {'lost'}.
local held = redis.call('HMGET', KEYS[1], 'token', 'wanted')
if held[1] ~= ARGV[1] then return {'lost'} end
redis.call('HSET', KEYS[1], 'until', 0)
return {'ok', held[2] or '0'}
