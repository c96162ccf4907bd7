-- notices_told(KEYS: notices, told_to; ARGV: `<kind>:<channel>`, notices)
-- Takes notices off that are told, and their line where nothing is left in it. Returns {'ok'}.
for at = 2, #ARGV do redis.call('ZREM', KEYS[1], ARGV[at]) end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[1]) end
return {'ok'}
