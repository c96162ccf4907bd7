-- book_fire(KEYS: symbol; ARGV: number of the tick, work, then source and price of each book)
--   symbol  see book_arm.lua
-- Moves what the prices have crossed to <symbol>:fired, a hash from member to `<tick>|<price>`. Does
-- at most about `work` steps: 'more' asks for another call with the same arguments. A book that does
-- not exist costs one look, and one that has seen this tick or a newer one is left alone.
-- Returns {'ok' or 'more', then member and price of each that fired in this call}.

local answer = {'ok'}
local number, work = ARGV[1], tonumber(ARGV[2])

-- What was compared with an earlier tick than this one, or has met this one now, begins to wait.
local function admit(book, places, newest)
  local members = redis.call('ZRANGEBYSCORE', book .. ':staged', '-inf', newest, 'LIMIT', 0, work)
  for _, member in ipairs(members) do
    local parts = split(redis.call('HGET', book .. ':held', member))
    place(book, places, member, {unpack(parts, 3, 2 + FIELDS)}, parts[2])
    redis.call('ZREM', book .. ':staged', member)
  end
  work = work - #members
end

-- Triggers without a first price trail from this one.
local function begin_trails(book, places, price)
  local members = redis.call('ZRANGE', book .. ':blank', 0, work - 1)
  local low, high = units(price, places)
  for _, member in ipairs(members) do
    local parts = split(redis.call('HGET', book .. ':held', member))
    redis.call('ZREM', book .. ':blank', member)
    join(book, parts[2], member, tonumber(parts[3]), (sides(parts[2], low, high)))
  end
  work = work - #members
end

local function take_fixed(key, from, to, take)
  while work > 0 do
    local members = redis.call('ZRANGEBYSCORE', key, from, to, 'LIMIT', 0, math.min(work, CHUNK))
    if #members == 0 then return end
    redis.call('ZREM', key, unpack(members))
    take(members)
    work = work - #members
  end
end

local function evaluate(book, places, price)
  local low, high = units(price, places)
  local value = number .. '|' .. price
  local function fire(members)
    local pairs_of = {}
    for _, member in ipairs(members) do
      pairs_of[#pairs_of + 1] = member
      pairs_of[#pairs_of + 1] = value
      answer[#answer + 1] = member
      answer[#answer + 1] = price
    end
    redis.call('HSET', KEYS[1] .. ':fired', unpack(pairs_of))
  end
  local function activate(members)
    for _, member in ipairs(members) do
      local parts = split(redis.call('HGET', book .. ':held', member))
      join(book, parts[2], member, tonumber(parts[3]), (sides(parts[2], low, high)))
    end
  end
  take_fixed(book .. SET.r, '-inf', plain(low), fire)
  take_fixed(book .. SET.f, plain(high), '+inf', fire)
  for _, trail in ipairs({'fa', 'fp', 'ra', 'rp'}) do
    if redis.call('EXISTS', book .. ':' .. trail .. ':peaks') == 1 then
      local peak, at = sides(trail, low, high)
      work = fall(book, trail, at, work, fire)
      work = climb(book, trail, peak, work)
    end
  end
  take_fixed(book .. ON.r, '-inf', plain(low), activate)
  take_fixed(book .. ON.f, plain(high), '+inf', activate)
end

for at = 3, #ARGV, 2 do
  local book, price = KEYS[1] .. ':' .. ARGV[at], ARGV[at + 1]
  local meta = redis.call('HMGET', book .. ':meta', 'tick', 'places', 'met')
  if meta[1] and tonumber(number) > tonumber(meta[1]) then
    local places = tonumber(meta[2])
    if meta[3] ~= number then
      admit(book, places, '(' .. number)
      if work > 0 then evaluate(book, places, price) end
      if work > 0 then redis.call('HSET', book .. ':meta', 'met', number) end
    end
    if work > 0 then admit(book, places, number) end
    if work > 0 then begin_trails(book, places, price) end
    if work > 0 then
      redis.call('HSET', book .. ':meta', 'tick', number)
    else
      answer[1] = 'more'
    end
  end
end
return answer
