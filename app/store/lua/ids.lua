-- ids(KEYS: ids; ARGV: count, epoch_ms, per_ms)
--   ids  string  the last id handed out
-- Returns the first id of a block that nobody has: after the last one, and not before this moment.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(redis.call('GET', KEYS[1]) or 0)
local first = math.max(last + 1, (now - tonumber(ARGV[2])) * tonumber(ARGV[3]))
redis.call('SET', KEYS[1], string.format('%.0f', first + tonumber(ARGV[1]) - 1))
return {string.format('%.0f', first)}
