-- paper_arrive(KEYS: sequence, tick, prices, [book, books]; ARGV: symbol, [name, price, owner])
--   sequence  string, counter  number of the newest arrival
--   tick      string, counter  number of the newest tick
--   prices    hash             symbol → quote record, or 'null'
--   book      sorted set       '<number>|<owner>' by price or level; only for what may rest
--   books     set              names of the books that hold something
-- Numbers the order, arms it and reads the price in one step: a price set after this finds it.
-- Returns {'ok', number, number of the newest tick, quote record or ''}.

local number = redis.call('INCR', KEYS[1])
if KEYS[4] then
  redis.call('ZADD', KEYS[4], ARGV[3], string.format('%016.0f', number) .. '|' .. ARGV[4])
  redis.call('SADD', KEYS[5], ARGV[2])
end
return {
  'ok',
  number,
  redis.call('GET', KEYS[2]) or '0',
  redis.call('HGET', KEYS[3], ARGV[1]) or '',
}
