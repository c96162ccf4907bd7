-- beat(KEYS: runs, run, ends, ids, canary; ARGV: when a canary came through, server time)
--   as in run.lua
-- Notes that the present run of the server still lasts, and the canary. Returns {'ok'}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
note_run(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], now)
redis.call('SET', KEYS[5], ARGV[1])
return {'ok'}
