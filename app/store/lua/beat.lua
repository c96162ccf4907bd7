-- beat(KEYS: runs, run, ends, ids, canary)
--   as in run.lua
-- Notes that the present run of the server still lasts. Returns {'ok', its name}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return {'ok', note_run(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], now)}
