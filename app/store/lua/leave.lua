-- leave(KEYS: all, kept, then aggregate, timeline, children, inbox and caller ids of each, all of one
--             shard;
--       ARGV: business time, server time, then id, version, length of the timeline and caller id or ''
--             of each)
--   all   sorted set  aggregates that the history does not have as they are, the live among them
--   kept  sorted set  what the history has, since when
--   caller ids  hash  caller id -> its newest smart order: `<id>` or `<id> free`; it leaves with that
-- An aggregate leaves if it is as the history has it, has no news to read, can no longer be what a
-- request repeats, and has neither a parent nor children in `all`. One that must stay is looked at
-- again as late as the newest.
-- Returns {'ok', how many have left}.

local left = 0

local EACH = 4

local function is_kept(id, key, version, entries)
  return redis.call('ZSCORE', KEYS[2], id)
    and redis.call('HGET', KEYS[key], 'version') == version
    and redis.call('LLEN', KEYS[key + 1]) == tonumber(entries)
end

local function is_free(key)
  local found = redis.call('HMGET', KEYS[key], 'until', 'parent')
  if tonumber(found[1] or 0) > tonumber(ARGV[1]) then return false end
  if redis.call('EXISTS', KEYS[key + 3]) == 1 then return false end
  if found[2] and redis.call('ZSCORE', KEYS[1], found[2]) then return false end
  for _, child in ipairs(redis.call('SMEMBERS', KEYS[key + 2])) do
    if redis.call('ZSCORE', KEYS[1], child) then return false end
  end
  return true
end

-- Let go the caller id of one that has left, unless a newer one has it.
local function forget(key, caller, id)
  local holder = caller ~= '' and redis.call('HGET', KEYS[key + 4], caller)
  if holder and string.match(holder, '^%d+') == id then redis.call('HDEL', KEYS[key + 4], caller) end
end

for at = 3, #ARGV, EACH do
  local key = 3 + (at - 3) / EACH * 5
  local id = ARGV[at]
  if is_kept(id, key, ARGV[at + 1], ARGV[at + 2]) then
    if is_free(key) then
      redis.call('DEL', KEYS[key], KEYS[key + 1], KEYS[key + 2])
      redis.call('ZREM', KEYS[2], id)
      forget(key, ARGV[at + 3], id)
      left = left + 1
    else
      redis.call('ZADD', KEYS[2], ARGV[2], id)
    end
  end
end
return {'ok', left}
