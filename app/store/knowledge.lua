-- knowledge(KEYS: runs, run, ids, canary, vouched; ARGV: symbol)
--   the first four as in run.lua
--   vouched  hash  symbol -> the run in which all its orders were known, or `until <server ms>`
-- Returns {'ok', run, mark, ''} if they are known in the present run, else {'ok', run, mark, since}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run = note_run(KEYS[1], KEYS[2], KEYS[3], KEYS[4], now)
local mark = redis.call('HGET', KEYS[2], 'mark')
local vouched = redis.call('HGET', KEYS[5], ARGV[1])
if vouched == run then return {'ok', run, mark, ''} end
local since = vouched and string.match(vouched, '^until (%d+)$')
since = since or vouched and redis.call('ZSCORE', KEYS[1], vouched)
since = since or redis.call('ZSCORE', KEYS[1], 'first') or '0'
return {'ok', run, mark, since}
