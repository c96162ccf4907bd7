-- kept(KEYS: all, finished, kept, then aggregate and timeline of each, all of one shard;
--      ARGV: server time, then id, version and length of the timeline of each, as the history has it)
--   all       sorted set  aggregates that the history does not have as they are
--   finished  sorted set  what the history shall get
--   kept      sorted set  what the history has, since when
-- What has changed meanwhile stays as it is; what is gone is in the history, or never was.
-- Returns {'ok'}.

local STEP = 3
for at = 2, #ARGV, STEP do
  local key = 4 + (at - 2) / STEP * 2
  local id, version = ARGV[at], redis.call('HGET', KEYS[key], 'version')
  local entries = redis.call('LLEN', KEYS[key + 1])
  if not version then
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
  elseif version == ARGV[at + 1] and entries == tonumber(ARGV[at + 2]) then
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
    redis.call('ZADD', KEYS[3], ARGV[1], id)
  end
end
return {'ok'}
