-- key_try(KEYS: key; ARGV: keys, scope, for_ms, life_ms)
--   key  hash  "keys" it is about; for each scope "reads", "trades": the state "trying", "good" or
--              "refused"; "<scope>_until" this server time nobody else tries, "<scope>_ms" from when
--              it was said; "<scope>_since" the server time of the first refusal, and "<scope>_why"
-- What refuses a key to read refuses it to trade, too. Of keys of which nothing is known, and of those
-- whose pause is over, one tries.
-- Returns {"ok"}, {"try", is_again}, {"trying", ms}, or {"refused", ms, why}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HGET', KEYS[1], 'keys') ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'keys', ARGV[1])
end

-- What ends further ahead than it is long has ended: the clock was set back.
local function left(scope)
  local known = redis.call('HMGET', KEYS[1], scope .. '_until', scope .. '_ms')
  local ahead = tonumber(known[1] or '0') - now
  if ahead < 0 or ahead > tonumber(known[2] or '0') then return 0 end
  return ahead
end

local scope = ARGV[2]
for _, one in ipairs({'reads', scope}) do
  if redis.call('HGET', KEYS[1], one) == 'refused' and left(one) > 0 then
    return {'refused', left(one), redis.call('HGET', KEYS[1], one .. '_why')}
  end
end
local state = redis.call('HGET', KEYS[1], scope)
if state == 'good' then return {'ok'} end
if state == 'trying' and left(scope) > 0 then return {'trying', left(scope)} end
local is_again = state == 'refused'
local for_ms = is_again and redis.call('HGET', KEYS[1], scope .. '_ms') or ARGV[3]
redis.call('HSET', KEYS[1], scope, is_again and state or 'trying',
  scope .. '_until', string.format('%.0f', now + for_ms), scope .. '_ms', for_ms)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'try', is_again and 1 or 0}
