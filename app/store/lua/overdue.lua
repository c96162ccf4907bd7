-- overdue(KEYS: outbox; ARGV: again_after_ms, most, within_ms)
--   outbox  sorted set  effects owed, by the server time at which they are sent again
-- What is further ahead than `within_ms` is due: the clock was set back since.
-- Returns the effects that are due, and moves each of them to a later time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])
local set_back = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf',
  string.format('(%.0f', now + tonumber(ARGV[3])), 'LIMIT', 0, ARGV[2])
for _, effect in ipairs(set_back) do due[#due + 1] = effect end
for _, effect in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[1]), effect)
end
return due
