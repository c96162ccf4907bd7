-- thaw(KEYS: state, frozen, accepted; ARGV: record, ids of orders)
--   state, frozen  as in freeze.lua
--   accepted  set  client order ids that a person has seen and nobody here has to know
-- Gives a frozen account the state that it had. Returns {'ok', state}, or {'changed'} if it is not
-- frozen, or for something else than the record says.
if redis.call('GET', KEYS[1]) ~= 'FROZEN' then return {'changed'} end
if redis.call('HGET', KEYS[2], 'record') ~= ARGV[1] then return {'changed'} end
local state = redis.call('HGET', KEYS[2], 'before') or 'HALT'
for at = 2, #ARGV do redis.call('SADD', KEYS[3], ARGV[at]) end
redis.call('SET', KEYS[1], state)
redis.call('DEL', KEYS[2])
return {'ok', state}
