-- Library: where a trigger waits. Returns nothing by itself.
-- What is no fixed level in its set is told in <book>:held, by member:
--   t|<trail>|<run>                  trails
--   o|<trail>|<offset>|<r or f>      waits for its activation, in <book>:on_rising or :on_falling
--   b|<trail>|<offset>               waits for the first price, in <book>:blank
--   s|<price>|<its six fields>       waits for a tick to be evaluated that does not count for it: the
--                                    one that had begun, or the one it was compared with, whose price
--                                    this is; in <book>:staged
-- The fields of a trigger: `fixed` or the trail, the way it fires, level, offset, the way it becomes
-- active, activation, each '' where it has none.

local FIELDS = 6
local SET = {r = ':rising', f = ':falling'}
local ON = {r = ':on_rising', f = ':on_falling'}

-- Return a level in book units, rounded away from being crossed early.
local function level_units(way, text, places)
  local low, high = units(text, places)
  return way == 'r' and high or low
end

local function crosses(way, level, low, high)
  if way == 'r' then return low >= level end
  return high <= level
end

-- Return an offset as its trail counts it, rounded up.
local function offset_units(trail, text, places)
  if counts_percent(trail) then return tonumber(text) end
  local _, high = units(text, places)
  return high
end

-- Put a trigger where it waits. `price` is what it was compared with, or '' for nothing yet.
local function place(book, places, member, fields, price)
  local trail, way, level, offset, on, activation = unpack(fields)
  if trail == 'fixed' then
    redis.call('ZADD', book .. SET[way], plain(level_units(way, level, places)), member)
    return
  end
  offset = offset_units(trail, offset, places)
  local low, high
  if price ~= '' then low, high = units(price, places) end
  if on ~= '' then
    local at = level_units(on, activation, places)
    if not low or not crosses(on, at, low, high) then
      redis.call('HSET', book .. ':held', member, 'o|' .. trail .. '|' .. plain(offset) .. '|' .. on)
      redis.call('ZADD', book .. ON[on], plain(at), member)
      return
    end
  end
  if low then
    join(book, trail, member, offset, (sides(trail, low, high)))
    return
  end
  redis.call('HSET', book .. ':held', member, 'b|' .. trail .. '|' .. plain(offset))
  redis.call('ZADD', book .. ':blank', 0, member)
end

-- Return the parts of a text between its bars.
local function split(text)
  local parts = {}
  for part in string.gmatch(text .. '|', '([^|]*)|') do parts[#parts + 1] = part end
  return parts
end

-- Take a trigger out of wherever `held` says that it is. Returns whether it was anywhere.
local function let_go(book, member)
  local held = redis.call('HGET', book .. ':held', member)
  if not held then return false end
  local parts = split(held)
  if parts[1] == 't' then
    leave(book, parts[2], parts[3], member)
  elseif parts[1] == 'o' then
    redis.call('ZREM', book .. ON[parts[4]], member)
  elseif parts[1] == 'b' then
    redis.call('ZREM', book .. ':blank', member)
  else
    redis.call('ZREM', book .. ':staged', member)
  end
  redis.call('HDEL', book .. ':held', member)
  return true
end
