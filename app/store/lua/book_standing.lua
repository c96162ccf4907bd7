-- book_standing(KEYS: symbol; ARGV: source, member, `r`, `f` or '' as in book_disarm.lua)
--   symbol  see book_fire.lua
-- Returns {'none'}, {'waits'} of one that is not active, {'fixed'}, or {'trails', places, extreme in
-- book units}.

local book, member = KEYS[1] .. ':' .. ARGV[1], ARGV[2]
if ARGV[3] ~= '' and redis.call('ZSCORE', book .. SET[ARGV[3]], member) then return {'fixed'} end
local held = redis.call('HGET', book .. ':held', member)
if not held then return {'none'} end
local parts = split(held)
local places = redis.call('HGET', KEYS[1] .. ':meta', 'places')
local trail = parts[2]
local peak
if parts[1] == 't' then
  local base = book .. ':' .. trail .. ':'
  local group = redis.call('HGET', base .. 'group', parts[3])
  peak = tonumber(redis.call('ZSCORE', base .. 'peaks', group))
elseif parts[1] == 's' then
  if parts[3] == 'fixed' then return {'fixed'} end
  if parts[2] == '' then return {'waits'} end
  trail = parts[3]
  local low, high = units(parts[2], tonumber(places))
  local on = parts[7]
  if on ~= '' and not crosses(on, level_units(on, parts[8], tonumber(places)), low, high) then
    return {'waits'}
  end
  peak = (sides(trail, low, high))
else
  return {'waits'}
end
return {'trails', places, plain(negates(trail) and -peak or peak)}
