-- switch_done(KEYS: switches; ARGV: account, value)
--   switches  hash  account → the kill switch that is set
-- Forgets a kill switch that has done its work, unless it was set anew meanwhile.
-- Returns {'ok'} or {'changed'}.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'changed'} end
redis.call('HDEL', KEYS[1], ARGV[1])
return {'ok'}
