-- book_arm(KEYS: symbol; ARGV: source, newest tick begun, places, then of each trigger nine words)
--   symbol  see book_fire.lua
-- The nine words: member, its six fields (book_holding.lua), number and price of the newest tick, or
-- '' twice where the next tick is the first. A trailing trigger that is held stays as it is.
-- Returns {'ok', members that have fired at once}.

local book = KEYS[1] .. ':' .. ARGV[1]
local begun = tonumber(ARGV[2])
local fired = {'ok'}
redis.call('HSETNX', KEYS[1] .. ':meta', 'tick', ARGV[2])
redis.call('HSETNX', KEYS[1] .. ':meta', 'places', ARGV[3])
redis.call('HDEL', KEYS[1] .. ':meta', 'quiet:' .. ARGV[1])
local meta = redis.call('HMGET', KEYS[1] .. ':meta', 'tick', 'places')
local last, places = tonumber(meta[1]), tonumber(meta[2])

for at = 4, #ARGV, FIELDS + 3 do
  local member = ARGV[at]
  local fields = {unpack(ARGV, at + 1, at + FIELDS)}
  local seen, price = tonumber(ARGV[at + FIELDS + 1]), ARGV[at + FIELDS + 2]
  local is_fixed = fields[1] == 'fixed'
  if is_fixed then
    let_go(book, member)
    redis.call('ZREM', book .. SET[fields[2]], member)
  end
  if is_fixed or redis.call('HEXISTS', book .. ':held', member) == 0 then
    local is_crossed = false
    if is_fixed and seen then
      local low, high = units(price, places)
      is_crossed = crosses(fields[2], level_units(fields[2], fields[3], places), low, high)
    end
    local after = seen or begun
    if is_crossed then
      redis.call('HSET', KEYS[1] .. ':fired', member, plain(seen) .. '|' .. price)
      fired[#fired + 1] = member
    elseif after > last and not (seen and seen <= begun) then
      redis.call('HSET', book .. ':held', member, 's|' .. price .. '|' .. table.concat(fields, '|'))
      redis.call('ZADD', book .. ':staged', plain(after), member)
    else
      place(book, places, member, fields, price)
    end
  end
end
return fired
