-- quarantine(KEYS: quarantine; ARGV: id, account or '', why)
--   quarantine  hash  id of a record that cannot be read -> `<server time>|<account>|<why>`
-- Returns {'ok'} to the first who cannot read it, {'known'} to all others.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = string.format('%.0f', now) .. '|' .. ARGV[2] .. '|' .. ARGV[3]
if redis.call('HSETNX', KEYS[1], ARGV[1], text) == 0 then return {'known'} end
return {'ok'}
