-- release(KEYS: lease; ARGV: token)
--   lease  hash  `token` and `until` of whoever holds it
-- Gives the lease back if it is still the caller's. Returns {'ok'} or {'lost'}.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return {'lost'} end
redis.call('HSET', KEYS[1], 'until', 0)
return {'ok'}
