-- book_arm(KEYS: symbol; ARGV: source, newest tick begun, places, then of each trigger nine words)
--   symbol  no key, but what the keys of all books of one (venue, symbol) begin with; see keys.py
-- The nine words: member, its six fields (book_holding.lua), number and price of the newest tick, or
-- '' twice where the next tick is the first. A trailing trigger that is held stays as it is.
-- Returns {'ok', members that have fired at once}.

local book = KEYS[1] .. ':' .. ARGV[1]
local fired = {'ok'}
if redis.call('EXISTS', book .. ':meta') == 0 then
  redis.call('HSET', book .. ':meta', 'tick', ARGV[2], 'places', ARGV[3])
end
local meta = redis.call('HMGET', book .. ':meta', 'tick', 'places')
local last, places = math.max(tonumber(meta[1]), tonumber(ARGV[2])), tonumber(meta[2])

for at = 4, #ARGV, FIELDS + 3 do
  local member = ARGV[at]
  local fields = {unpack(ARGV, at + 1, at + FIELDS)}
  local number, price = ARGV[at + FIELDS + 1], ARGV[at + FIELDS + 2]
  local is_fixed = fields[1] == 'fixed'
  if is_fixed then let_go(book, member) end
  if is_fixed or redis.call('HEXISTS', book .. ':held', member) == 0 then
    local is_crossed = false
    if is_fixed and number ~= '' then
      local low, high = units(price, places)
      is_crossed = crosses(fields[2], level_units(fields[2], fields[3], places), low, high)
    end
    if is_crossed then
      redis.call('ZREM', book .. SET[fields[2]], member)
      redis.call('HSET', KEYS[1] .. ':fired', member, number .. '|' .. price)
      fired[#fired + 1] = member
    elseif number ~= '' and tonumber(number) > last then
      redis.call('HSET', book .. ':held', member, 's|' .. price .. '|' .. table.concat(fields, '|'))
      redis.call('ZADD', book .. ':staged', number, member)
      if is_fixed then redis.call('ZREM', book .. SET[fields[2]], member) end
    else
      place(book, places, member, fields, price)
    end
  end
end
return fired
