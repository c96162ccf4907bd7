-- keep_results(KEYS: results, traded; ARGV: mark of those that were read, or ''; mark; body)
-- Keeps the results of an account unless somebody has kept others since these were read, and forgets
-- the trades before the mark: they are in them. Returns {1} if they are kept.

if (redis.call('HGET', KEYS[1], 'seen') or '') ~= ARGV[1] then return {0} end
redis.call('HSET', KEYS[1], 'seen', ARGV[2], 'body', ARGV[3])
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2])
return {1}
