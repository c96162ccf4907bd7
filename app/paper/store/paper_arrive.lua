-- paper_arrive(KEYS: sequence, tick, prices, instruments, [book, books];
--              ARGV: symbol, how many fields, the fields, [name, price, owner])
--   sequence     string, counter  number of the newest arrival
--   tick         string, counter  number of the newest tick
--   prices       hash             symbol → quote record, or 'null'
--   instruments  hash             a field for each market → record of the symbol's rules there
--   book         sorted set       '<number>|<owner>' by price or level; only for what may rest
--   books        set              names of the books that hold something
-- Numbers the order, arms it and reads the price in one step: a price set after this finds it.
-- Returns {'ok', number, number of the newest tick, quote record or '', record of each field or ''}.

local number = redis.call('INCR', KEYS[1])
local last = 2 + tonumber(ARGV[2])
if KEYS[5] then
  local member = string.format('%016.0f', number) .. '|' .. ARGV[last + 3]
  redis.call('ZADD', KEYS[5], ARGV[last + 2], member)
  redis.call('SADD', KEYS[6], ARGV[last + 1])
end
local answer = {
  'ok',
  number,
  redis.call('GET', KEYS[2]) or '0',
  redis.call('HGET', KEYS[3], ARGV[1]) or '',
}
for _, record in ipairs(redis.call('HMGET', KEYS[4], unpack(ARGV, 3, last))) do
  answer[#answer + 1] = record or ''
end
return answer
