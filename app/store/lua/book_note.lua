-- book_note(KEYS: books, begun; ARGV: symbols)
--   books  sorted set  symbol by the server time at which something was last armed
--   begun  string      number of the newest tick that the books of the venue have begun with
-- Notes that something is being armed. Returns {'ok', begun}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, symbol in ipairs(ARGV) do
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), symbol)
end
return {'ok', redis.call('GET', KEYS[2]) or '0'}
