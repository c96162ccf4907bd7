-- knowledge(KEYS: runs, run, ends, vouched; ARGV: as told to note_run, then a symbol)
--   the first three as in run.lua
--   vouched  hash  symbol -> the run in which all its orders were known, or `until <server ms> <run>`
--                  where since then, in later runs, those before a moment were asked about
-- Returns {'ok', run, mark, begun, since, end}: the present run as in run.lua, since when its orders
-- may not be known ('' if they are), and the last id of the run in which all were. Or {'new', run}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run, is_new = note_run(KEYS[1], KEYS[2], KEYS[3], now, ARGV)
if is_new then return {'new', run} end
local present = redis.call('HMGET', KEYS[2], 'mark', 'begun')
local vouched = redis.call('HGET', KEYS[4], ARGV[4]) or 'first'
if vouched == run then return {'ok', run, present[1], present[2], '', present[1]} end
local since, last = string.match(vouched, '^until (%d+) (%w+)$')
last = last or vouched
since = since or redis.call('ZSCORE', KEYS[1], last)
since = since or redis.call('ZSCORE', KEYS[1], 'first') or '0'
return {'ok', run, present[1], present[2], since, redis.call('HGET', KEYS[3], last) or '0'}
