-- enter(KEYS: lane, lease, flight; ARGV: lease_ms, most)
--   lane    sorted set  who waits, by turn
--   lease   hash        `token` rises with each holder; `until` is server time in ms
--   flight  set         orders whose effect on the position is not known yet
-- Returns {'ok', token, {waiting}, {in flight}}, or {'held'} while the lease of another runs.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(redis.call('HGET', KEYS[2], 'until') or 0) >= now then return {'held'} end
local token = redis.call('HINCRBY', KEYS[2], 'token', 1)
redis.call('HSET', KEYS[2], 'until', now + tonumber(ARGV[1]))
return {
  'ok', tostring(token),
  redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1), redis.call('SMEMBERS', KEYS[3]),
}
