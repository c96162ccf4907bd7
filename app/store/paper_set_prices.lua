-- paper_set_prices(KEYS: tick, ticks, prices, observed; ARGV: tick record, then symbol and quote)
--   tick      string, counter  number of the newest tick
--   ticks     sorted set       '<number> <record>' by number, until evaluated
--   prices    hash             symbol → quote record, or 'null'
--   observed  hash             symbol → quote last seen of the source, forgotten by a set price
-- Returns {'ok', number of the tick}.

local number = redis.call('INCR', KEYS[1])
for index = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1])
  redis.call('HDEL', KEYS[4], ARGV[index])
end
redis.call('ZADD', KEYS[2], number, string.format('%.0f', number) .. ' ' .. ARGV[1])
return {'ok', number}
