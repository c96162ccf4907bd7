-- commit(KEYS: every key that is asked or written, all of one shard; ARGV: as follows)
--   ARGV[1]           number of conditions
--   each condition    word, index of its key, one argument
--   each write        number of words, command, index of its key, arguments
-- Conditions, each refused with its own word and nothing written:
--   version  hash     the aggregate's `version` is still the argument ('0': it is new)
--   present  hash     the aggregate has not left
--   permits  string   the account's state is among the argument's words; missing is HALT
--   vouched  hash     the argument is a run and a symbol: it is the present one (run.lua), and in it all
--                     the symbol's orders are known
--   lane     string   the counter is still the argument; missing is 0
--   claims   string   likewise
--   registry string   the version is not above the argument
--   unread   hash     the argument is a child and a version: it is the newest news of that child,
--                     and nobody has read it
--   give_up  none     server time is not past the argument
--   unused   hash     no holder under this field, or `<id> free`; else `repeated` and the holder
--   room     set      fewer members than the argument
--   memory   none     the server's memory is not fuller than the argument, in percent of `maxmemory`
--   fresh    string   no `<id>:<until>` with `until` past the argument; else `repeated` and the id
--   rate     string   the counter of this minute is below the argument; counts, so it comes last
--   repeats  hash     no more repeats than the argument were noted; counts, so it comes last, too
-- Writes are plain commands, and some of our own:
--   TELL  list        texts: behind what is told, of which the first and the newest stay
--   LANE  sorted set  due, member: behind all that are due in the same millisecond
--   READ  hash        child, index of the outbox, member
--   NOTED sorted set  id, index of `finished`: what the history has is not all any more
--   TRADE stream      key of the results, most, a trade: if somebody keeps them
--   FILLED sorted set key of the change of limits, business ms, an order, ms that it is kept: if the
--                     account has ever had limits
-- Returns {'ok', members that came into a lane behind others} or {word, what was there}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local conditions = {}

function conditions.version(key, wanted)
  local found = redis.call('HGET', key, 'version') or '0'
  if found ~= wanted then return {'version', found} end
end

function conditions.present(key)
  if redis.call('EXISTS', key) == 0 then return {'present', ''} end
end

function conditions.permits(key, words)
  local state = redis.call('GET', key) or 'HALT'
  if not string.find(' ' .. words .. ' ', ' ' .. state .. ' ', 1, true) then
    return {'permits', state}
  end
end

function conditions.vouched(key, wanted)
  local run, symbol = string.match(wanted, '^(%w*) (.*)$')
  if run ~= present_run() or redis.call('HGET', key, symbol) ~= run then return {'vouched', symbol} end
end

function conditions.lane(key, wanted)
  local found = redis.call('GET', key) or '0'
  if found ~= wanted then return {'lane', found} end
end

function conditions.claims(key, wanted)
  local found = redis.call('GET', key) or '0'
  if found ~= wanted then return {'claims', found} end
end

function conditions.registry(key, known)
  local found = redis.call('GET', key) or '0'
  if tonumber(found) > tonumber(known) then return {'registry', found} end
end

function conditions.unread(key, wanted)
  local child, version = string.match(wanted, '^(%d+) (%d+)$')
  local found = redis.call('HGET', key, child) or '0'
  if found ~= version then return {'unread', found} end
end

function conditions.give_up(_, at)
  if now > tonumber(at) then return {'give_up', tostring(now)} end
end

function conditions.unused(key, field)
  local holder = redis.call('HGET', key, field)
  if holder and not string.find(holder, ' free', 1, true) then return {'repeated', holder} end
end

function conditions.room(key, most)
  if redis.call('SCARD', key) >= tonumber(most) then return {'room', most} end
end

function conditions.memory(_, most)
  local info = redis.call('INFO', 'memory')
  local used, limit = string.match(info, '\nused_memory:(%d+)'), string.match(info, '\nmaxmemory:(%d+)')
  local percent = tonumber(limit or 0) > 0 and used / limit * 100 or 0
  if percent > tonumber(most) then return {'memory', string.format('%.1f', percent)} end
end

function conditions.fresh(key, business_now)
  local found = redis.call('GET', key)
  if found then
    local id, ends = string.match(found, '^(%d+):(%d+)$')
    if tonumber(ends) > tonumber(business_now) then return {'repeated', id} end
  end
end

function conditions.rate(key, limit)
  -- A counter that lives longer than its minute was begun before the clock was set back.
  if redis.call('PTTL', key) > 60000 then redis.call('DEL', key) end
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('PEXPIRE', key, 60000) end
  if count > tonumber(limit) then return {'rate', tostring(redis.call('PTTL', key))} end
end

function conditions.repeats(key, most)
  if redis.call('HINCRBY', key, 'repeats', 1) > tonumber(most) then return {'repeats', most} end
end

local writes = {}
local done = {'ok'}

-- What is tried again and again for days tells of it each time.
local TOLD_MAX, TOLD_FIRST = 1000, 20

function writes.TELL(key, ...)
  local told = redis.call('RPUSH', key, ...)
  for _ = TOLD_MAX + 1, told do
    redis.call('LSET', key, TOLD_FIRST, '')
    redis.call('LREM', key, 1, '')
  end
end

function writes.LANE(key, due, member)
  -- A double still tells 1/4096 ms apart; later arrivals of one millisecond share the last place.
  local last = redis.call('ZREVRANGEBYSCORE', key, '(' .. (due + 1), due, 'WITHSCORES', 'LIMIT', 0, 1)
  local score = tonumber(due)
  if last[2] then score = math.min(tonumber(last[2]) + 1 / 4096, due + 4095 / 4096) end
  if redis.call('EXISTS', key) == 1 then done[#done + 1] = member end
  redis.call('ZADD', key, 'NX', string.format('%.17g', score), member)
end

function writes.READ(key, child, outbox, member)
  redis.call('HDEL', key, child)
  if redis.call('HLEN', key) == 0 then redis.call('ZREM', KEYS[tonumber(outbox)], member) end
end

function writes.NOTED(key, id, finished)
  if redis.call('ZREM', key, id) == 1 then redis.call('ZADD', KEYS[tonumber(finished)], now, id) end
end

function writes.TRADE(key, results, most, trade)
  if redis.call('EXISTS', KEYS[tonumber(results)]) == 1 then
    redis.call('XADD', key, 'MAXLEN', '~', most, '*', 'trade', trade)
  end
end

function writes.FILLED(key, limits, at, order, kept)
  if redis.call('EXISTS', KEYS[tonumber(limits)]) == 0 then return end
  redis.call('ZADD', key, at, order)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', at - kept)
  redis.call('PEXPIRE', key, kept)
end

local at = 2
for _ = 1, tonumber(ARGV[1]) do
  local refusal = conditions[ARGV[at]](KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2])
  if refusal then return refusal end
  at = at + 3
end
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  local name, key = ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])]
  local write = writes[name]
  if write then
    write(key, unpack(ARGV, at + 3, at + count))
  else
    redis.call(name, key, unpack(ARGV, at + 3, at + count))
  end
  at = at + count + 1
end
return done
