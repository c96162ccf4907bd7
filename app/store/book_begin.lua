-- book_begin(KEYS: begun; ARGV: number of a tick)
--   begun  string  number of the newest tick that the books of a venue have begun with
-- Notes the tick, unless a newer one was noted. Returns {'ok'}.

if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return {'ok'}
