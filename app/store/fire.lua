-- fire(KEYS: rising, falling, meta, fired; ARGV: number of the tick, floor, ceiling, most)
--   rising   sorted set  owners by level in book units: fire at or above
--   falling  sorted set  owners by level in book units: fire at or below
--   meta     hash        `tick` is the number of the last tick evaluated
--   fired    hash        owner → tick, until the owner knows
-- Moves what the price has crossed to `fired`, in the same call. Returns {'more'} when there is more
-- than one call may take, else {'ok'}. A tick that is not newer than the last moves nothing.
if tonumber(redis.call('HGET', KEYS[3], 'tick') or 0) >= tonumber(ARGV[1]) then return {'ok'} end
local function take(key, from, to)
  local owners = redis.call('ZRANGEBYSCORE', key, from, to, 'LIMIT', 0, ARGV[4])
  for _, owner in ipairs(owners) do
    redis.call('ZREM', key, owner)
    redis.call('HSET', KEYS[4], owner, ARGV[1])
  end
  return #owners == tonumber(ARGV[4])
end
local more = take(KEYS[1], '-inf', ARGV[2])
more = take(KEYS[2], ARGV[3], '+inf') or more
if more then return {'more'} end
redis.call('HSET', KEYS[3], 'tick', ARGV[1])
return {'ok'}
