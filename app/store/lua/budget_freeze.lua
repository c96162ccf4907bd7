-- budget_freeze(KEYS: budget; ARGV: for_ms, life_ms)
--   budget  see budget_take.lua
-- A longer freeze that is on stays on. Returns {'ok'}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local length = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'frozen', 'frozen_ms')
local frozen = tonumber(known[1] or '0')
local is_on = frozen > now and frozen <= now + tonumber(known[2] or frozen)
if not is_on or frozen < now + length then
  redis.call('HSET', KEYS[1], 'frozen', string.format('%.0f', now + length), 'frozen_ms', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return {'ok'}
