-- put_record(KEYS: records, registry of each shard; ARGV: version, name, record)
--   records   hash  of texts, by name
--   registry  string, counter, the same in every shard
-- Writes a record and raises the version, if it is still the one upon which the record was made.
-- Returns {'ok'} or {'changed'}.
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[1] then return {'changed'} end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
for number = 2, #KEYS do redis.call('INCR', KEYS[number]) end
return {'ok'}
