-- key_told(KEYS: key; ARGV: keys, scope, word, first_ms, most_ms, why, life_ms)
--   key  hash  see key_try.lua
-- "good": the venue took the keys. "refused": it did not; nobody tries for "first_ms", after each try
-- that follows a refusal for twice as long as before, up to "most_ms". "again" is "refused" by who
-- tried after a pause. "untold": nobody knows, and the next one may try.
-- What is said of other keys than those that are known now counts no more. Returns {"ok"}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local scope, word = ARGV[2], ARGV[3]
if redis.call('HGET', KEYS[1], 'keys') ~= ARGV[1] then return {'ok'} end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
local state = redis.call('HGET', KEYS[1], scope)
local rest = {scope .. '_until', scope .. '_ms', scope .. '_since', scope .. '_why'}

if word == 'good' then
  redis.call('HDEL', KEYS[1], unpack(rest))
  redis.call('HSET', KEYS[1], scope, 'good')
elseif word == 'untold' then
  if state == 'trying' then redis.call('HDEL', KEYS[1], scope, unpack(rest)) end
elseif state ~= 'refused' or word == 'again' then
  local pause = tonumber(ARGV[4])
  if state == 'refused' then
    pause = math.min(tonumber(redis.call('HGET', KEYS[1], scope .. '_ms')) * 2, tonumber(ARGV[5]))
  else
    redis.call('HSET', KEYS[1], scope .. '_since', string.format('%.0f', now))
  end
  redis.call('HSET', KEYS[1], scope, 'refused', scope .. '_why', ARGV[6], scope .. '_ms', pause,
    scope .. '_until', string.format('%.0f', now + pause))
  -- Whether they may trade is told anew, by one, once they may read.
  if scope == 'reads' and redis.call('HGET', KEYS[1], 'trades') == 'good' then
    redis.call('HDEL', KEYS[1], 'trades')
  end
end
return {'ok'}
