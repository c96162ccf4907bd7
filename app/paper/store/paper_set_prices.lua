-- paper_set_prices(KEYS: tick, ticks, prices, observed, set_at; ARGV: tick record,
-- business time, then symbol and quote)
--   tick      string, counter  number of the newest tick
--   ticks     sorted set       '<number> <record>' by number, until evaluated
--   prices    hash             symbol → quote record, or 'null'
--   observed  hash             symbol → quote last seen of the source, forgotten by a set price
--   set_at    hash             symbol → business time at which its price was set
-- Returns {'ok', number of the tick}.

local number = redis.call('INCR', KEYS[1])
for index = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1])
  redis.call('HDEL', KEYS[4], ARGV[index])
  redis.call('HSET', KEYS[5], ARGV[index], ARGV[2])
end
redis.call('ZADD', KEYS[2], number, string.format('%.0f', number) .. ' ' .. ARGV[1])
return {'ok', number}
