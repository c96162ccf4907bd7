-- acquire(KEYS: lease; ARGV: lease_ms)
--   lease  hash  `token` rises with each holder; `until` is server time in ms
-- Returns {'ok', token}, or {'held'} while the lease of another runs.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(redis.call('HGET', KEYS[1], 'until') or 0) >= now then return {'held'} end
local token = redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[1]))
return {'ok', tostring(token)}
