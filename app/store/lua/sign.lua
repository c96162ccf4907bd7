-- sign(KEYS: signature; ARGV: hash of the body, business now, end of its time, ms to keep it)
-- A signature is good for one body until its time ends, by the business clock.
-- Returns {'ok'}, or {'used'} where another body had it.

local body, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(%x+):(%d+)$')
if body and tonumber(ends) > tonumber(ARGV[2]) then
  return {body == ARGV[1] and 'ok' or 'used'}
end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[3], 'PX', ARGV[4])
return {'ok'}
