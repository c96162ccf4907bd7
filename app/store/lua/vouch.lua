-- vouch(KEYS: vouched; ARGV: symbol, run, until)
--   vouched  hash  as in knowledge.lua
-- Notes that all orders of a symbol are known in a run, or, unless `until` is empty, those that were
-- placed before it. Returns {'ok'}, or {'changed'} when another run has begun.
if present_run() ~= ARGV[2] then return {'changed'} end
local word = ARGV[2]
if ARGV[3] ~= '' then
  local vouched = redis.call('HGET', KEYS[1], ARGV[1]) or 'first'
  word = 'until ' .. ARGV[3] .. ' ' .. string.match(vouched, '(%w+)$')
end
redis.call('HSET', KEYS[1], ARGV[1], word)
return {'ok'}
