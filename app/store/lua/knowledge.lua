-- knowledge(KEYS: runs, run, ends, ids, canary, vouched; ARGV: symbol)
--   the first five as in run.lua
--   vouched  hash  symbol -> the run in which all its orders were known, or `until <server ms> <run>`
--                  where since then, in later runs, those before a moment were asked about
-- Returns {'ok', run, mark, begun, since, end}: the present run as in run.lua, since when its orders
-- may not be known ('' if they are), and the last id of the run in which all were.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run = note_run(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], now)
local present = redis.call('HMGET', KEYS[2], 'mark', 'begun')
local vouched = redis.call('HGET', KEYS[6], ARGV[1]) or 'first'
if vouched == run then return {'ok', run, present[1], present[2], '', present[1]} end
local since, last = string.match(vouched, '^until (%d+) (%w+)$')
last = last or vouched
since = since or redis.call('ZSCORE', KEYS[1], last)
since = since or redis.call('ZSCORE', KEYS[1], 'first') or '0'
return {'ok', run, present[1], present[2], since, redis.call('HGET', KEYS[3], last) or '0'}
