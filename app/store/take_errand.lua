-- take_errand(KEYS: errand; ARGV: server now)
--   errand  hash  `body`, `until` (server ms); `taken` once somebody has it; `answer` in the end
-- Returns {'ok', body} to the first who asks in time, {'none'} to all others.

local found = redis.call('HMGET', KEYS[1], 'body', 'until')
if not found[1] or tonumber(found[2]) <= tonumber(ARGV[1]) then return {'none'} end
if redis.call('HSETNX', KEYS[1], 'taken', '1') == 0 then return {'none'} end
return {'ok', found[1]}
