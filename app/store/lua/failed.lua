-- failed(KEYS: failures; ARGV: most, life_ms)
--   failures  counter  requests in a row without an answer
-- Counts one more, unless there are `most` already. Returns how many there are.
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count < tonumber(ARGV[1]) then count = redis.call('INCR', KEYS[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {count}
