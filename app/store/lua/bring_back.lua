-- bring_back(KEYS: kept, aggregate, timeline, children, all of one shard;
--            ARGV: give_up_at, id, parent or '', version, body, number of entries, entries, children)
--   kept  sorted set  what the history has, since when: the aggregate is among it once more
-- An aggregate that is there is left alone.
-- Returns {'ok'}, or {'give_up', server time}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', KEYS[2]) == 1 then return {'ok'} end
if now > tonumber(ARGV[1]) then return {'give_up', tostring(now)} end
redis.call('HSET', KEYS[2], 'version', ARGV[4], 'body', ARGV[5])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], 'parent', ARGV[3]) end
local first, entries = 7, tonumber(ARGV[6])
for at = first, first - 1 + entries do redis.call('RPUSH', KEYS[3], ARGV[at]) end
for at = first + entries, #ARGV do redis.call('SADD', KEYS[4], ARGV[at]) end
redis.call('ZADD', KEYS[1], now, ARGV[2])
return {'ok'}
