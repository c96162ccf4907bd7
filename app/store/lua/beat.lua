-- beat(KEYS: runs, run, ends; ARGV: as told to note_run)
--   as in run.lua
-- Notes that the present run of the server still lasts. Returns {'ok'}, or {'new', run}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run, is_new = note_run(KEYS[1], KEYS[2], KEYS[3], now, ARGV)
if is_new then return {'new', run} end
return {'ok'}
