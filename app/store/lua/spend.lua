-- spend(KEYS: counters; ARGV: for each counter the limit and the length of its window in ms)
-- Counts one request against all of the counters, or against none where one is at its limit.
-- Returns {'ok'}, or {'rate', ms until the window ends}.

for at, key in ipairs(KEYS) do
  -- A counter that lives longer than its window was begun before the clock was set back.
  if redis.call('PTTL', key) > tonumber(ARGV[2 * at]) then redis.call('DEL', key) end
  if tonumber(redis.call('GET', key) or 0) >= tonumber(ARGV[2 * at - 1]) then
    return {'rate', tostring(redis.call('PTTL', key))}
  end
end
for at, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * at]) end
end
return {'ok'}
