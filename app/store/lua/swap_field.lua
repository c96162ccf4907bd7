-- swap_field(KEYS: hash; ARGV: field, before, after)
--   hash  of texts; an empty text stands for no field
-- Puts a text in the place of another one, unless somebody else has done so meanwhile.
-- Returns {'ok'} or {'changed'}.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return {'changed'} end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return {'ok'}
