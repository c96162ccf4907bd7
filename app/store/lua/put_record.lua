-- put_record(KEYS: records, registry of each shard; ARGV: version, then name and record of each)
--   records   hash  of texts, by name
--   registry  string, counter, the same in every shard
-- Writes records and raises the version, if it is still the one upon which they were made.
-- Returns {'ok'} or {'changed'}.
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return {'changed'} end
for number = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[number], ARGV[number + 1]) end
for number = 2, #KEYS do redis.call('INCR', KEYS[number]) end
return {'ok'}
