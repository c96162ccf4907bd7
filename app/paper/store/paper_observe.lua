-- paper_observe(KEYS: tick, ticks, observed; ARGV: after, tick record, then symbol and quote)
--   tick      string, counter  number of the newest tick
--   ticks     sorted set       '<number> <record>' by number, until evaluated
--   observed  hash             symbol → quote last seen of the source
-- Returns {'ok'}, or {'newer'} when there is a newer tick than 'after'; then nothing is written.

if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then
  return {'newer'}
end
local number = redis.call('INCR', KEYS[1])
for index = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1])
end
redis.call('ZADD', KEYS[2], number, string.format('%.0f', number) .. ' ' .. ARGV[2])
return {'ok'}
