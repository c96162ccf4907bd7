-- Library: what a tick that moves nothing costs. Returns {'ok'} where it does, and else nothing.
-- For each price source <symbol>:meta has `quiet:<source>`, `<from>|<to>`: prices in book units between
-- which, both included, nothing fires, becomes active or has to climb; or `*` where nothing is armed. It
-- is missing where somebody has to look, for instance since something was armed.

local number, work = ARGV[1], tonumber(ARGV[2])
local meta = redis.call('HMGET', KEYS[1] .. ':meta', 'tick', 'places', 'quiet:last', 'quiet:bid',
  'quiet:ask', 'quiet:mark')
local places = tonumber(meta[2])
if not places or tonumber(number) <= tonumber(meta[1]) then return {'ok'} end
local loud = {}
for index = 1, 4 do
  local quiet = meta[index + 2]
  if not quiet then
    loud[#loud + 1] = index
  elseif quiet ~= '*' then
    local from, to = string.match(quiet, '^([^|]*)|(.*)$')
    local low, high = units(ARGV[index + 2], places)
    if low < tonumber(from) or high > tonumber(to) then loud[#loud + 1] = index end
  end
end
if #loud == 0 then
  redis.call('HSET', KEYS[1] .. ':meta', 'tick', number)
  return {'ok'}
end
