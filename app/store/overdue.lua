-- overdue(KEYS: outbox; ARGV: again_after_ms, most)
--   outbox  sorted set  effects owed, by the server time at which they are sent again
-- Returns the effects that are due, and moves each of them to a later time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])
for _, effect in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[1]), effect)
end
return due
