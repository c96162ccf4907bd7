-- freeze(KEYS: state, frozen; ARGV: record)
--   state   string  the state of an account
--   frozen  hash    `before`, the state that it had, and `record`, why it is frozen
-- Freezes an account; of one that is frozen already only the record changes. Returns {'ok'}.
local state = redis.call('GET', KEYS[1]) or 'HALT'
if state ~= 'FROZEN' then
  redis.call('HSET', KEYS[2], 'before', state)
  redis.call('SET', KEYS[1], 'FROZEN')
end
redis.call('HSET', KEYS[2], 'record', ARGV[1])
return {'ok'}
