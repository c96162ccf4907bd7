-- take_request(KEYS: request; ARGV: server now, within_ms)
--   request  hash  `body`, `until` (server ms); `taken` once somebody has it; `answer` in the end
-- Returns {'ok', body} to the first who asks in time, {'none'} to all others. One that ends further
-- ahead than `within_ms` has ended: the clock was set back since.

local found = redis.call('HMGET', KEYS[1], 'body', 'until')
local now, ends = tonumber(ARGV[1]), tonumber(found[2])
if not found[1] or ends <= now or ends > now + tonumber(ARGV[2]) then return {'none'} end
if redis.call('HSETNX', KEYS[1], 'taken', '1') == 0 then return {'none'} end
return {'ok', found[1]}
