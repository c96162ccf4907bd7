-- tell_version(KEYS: registry; ARGV: version)
--   registry  string  the newest version that a shard knows of
-- Two that tell at once do not go back. Returns {'ok'}.
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return {'ok'}
