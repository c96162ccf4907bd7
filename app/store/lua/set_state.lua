-- set_state(KEYS: state; ARGV: wanted)
--   state  string  the state of an account
-- Sets it, unless the account is frozen. Returns {'ok'} or {'frozen'}.
if redis.call('GET', KEYS[1]) == 'FROZEN' then return {'frozen'} end
redis.call('SET', KEYS[1], ARGV[1])
return {'ok'}
