-- acquire(KEYS: lease; ARGV: lease_ms)
--   lease  hash  `token` rises with each holder; `until` is server time in ms;
--                `lease_ms` is how long it is, `wanted` that somebody came who did not get it. What
--                nobody has wanted for a day is forgotten, with its token: a holder who sleeps that
--                long has lost it anyway
-- Returns {'ok', token}, or {'held'} while the lease of another runs. One that ends further ahead than
-- a lease is long has ended: the clock was set back since.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'until', 'lease_ms')
local ends = tonumber(held[1] or 0)
if ends >= now and ends <= now + tonumber(held[2] or ARGV[1]) then
  redis.call('HSET', KEYS[1], 'wanted', 1)
  return {'held'}
end
local token = redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[1]), 'lease_ms', ARGV[1], 'wanted', 0)
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) + 86400000)
return {'ok', tostring(token)}
