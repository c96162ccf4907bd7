-- book_begin(KEYS: begun, time; ARGV: number of a tick, business time)
--   begun  string  number of the newest tick that the books of a venue have begun with
--   time   string  `<number>|<business time>` of that tick
-- Notes the tick, unless a newer one was noted. Returns {'ok'}.

if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('SET', KEYS[2], ARGV[1] .. '|' .. ARGV[2])
end
return {'ok'}
