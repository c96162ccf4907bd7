-- book_census(KEYS: symbol; ARGV: `close` or `look`, then the sources)
--   symbol  see book_fire.lua
-- Counts what is armed, and what has fired. With `close`, books of a symbol in which nothing is armed and nothing has
-- fired are forgotten. Returns {'ok', armed, fired}.

local fired = redis.call('HLEN', KEYS[1] .. ':fired')
local armed = 0
for at = 2, #ARGV do
  local book = KEYS[1] .. ':' .. ARGV[at]
  armed = armed + redis.call('ZCARD', book .. SET.r) + redis.call('ZCARD', book .. SET.f)
    + redis.call('HLEN', book .. ':held')
end
if ARGV[1] == 'close' and armed + fired == 0 then redis.call('DEL', KEYS[1] .. ':meta') end
return {'ok', armed, fired}
