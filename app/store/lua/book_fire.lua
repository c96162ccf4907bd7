-- book_fire(KEYS: symbol; ARGV: number of the tick, work, last, bid, ask, mark)
--   symbol  no key, but what the keys of all books of one (venue, symbol) begin with; see keys.py
-- Moves what the prices have crossed to <symbol>:fired, a hash from member to `<tick>|<price>`, for
-- what trailed `<tick>|<price>|<extreme>|<places>`, the extreme in book units as in book_standing.lua.
-- Does at most about `work` steps: 'more' asks for another call with the same arguments. A tick that is
-- not newer than the last one moves nothing.
-- Returns {'ok' or 'more', then source, `<extreme>|<places>` or '', count and members of what has
-- fired in this call}.

local answer = {'ok'}
local SOURCES = {'last', 'bid', 'ask', 'mark'}

-- What was compared with an earlier tick than this one, or has met this one now, begins to wait.
local function admit(book, newest)
  local members = redis.call('ZRANGEBYSCORE', book .. ':staged', '-inf', newest, 'LIMIT', 0, work)
  for _, member in ipairs(members) do
    local parts = split(redis.call('HGET', book .. ':held', member))
    redis.call('HDEL', book .. ':held', member)
    place(book, places, member, {unpack(parts, 3, 2 + FIELDS)}, parts[2])
    redis.call('ZREM', book .. ':staged', member)
  end
  work = work - #members
end

local function begin_trails(book, members, low, high)
  for _, member in ipairs(members) do
    local parts = split(redis.call('HGET', book .. ':held', member))
    join(book, parts[2], member, tonumber(parts[3]), (sides(parts[2], low, high)))
  end
end

-- Triggers without a first price trail from this one.
local function begin_blank(book, low, high)
  local members = redis.call('ZRANGE', book .. ':blank', 0, work - 1)
  for _, member in ipairs(members) do redis.call('ZREM', book .. ':blank', member) end
  begin_trails(book, members, low, high)
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

local function evaluate(book, source, price, low, high)
  local value = number .. '|' .. price
  local function fire(members, extreme)
    local valued = {}
    local trailed = extreme and (plain(extreme) .. '|' .. places) or ''
    local noted = extreme and (value .. '|' .. trailed) or value
    answer[#answer + 1] = source
    answer[#answer + 1] = trailed
    answer[#answer + 1] = #members
    for index, member in ipairs(members) do
      valued[2 * index - 1], valued[2 * index] = member, noted
      answer[#answer + 1] = member
    end
    redis.call('HSET', KEYS[1] .. ':fired', unpack(valued))
  end
  take_fixed(book .. SET.r, '-inf', plain(low), fire)
  take_fixed(book .. SET.f, plain(high), '+inf', fire)
  for _, trail in ipairs(TRAILS) do
    if redis.call('EXISTS', book .. ':' .. trail .. ':peaks') == 1 then
      local peak, at = sides(trail, low, high)
      work = fall(book, trail, at, work, fire)
      work = climb(book, trail, peak, work)
    end
  end
  local function activate(members) begin_trails(book, members, low, high) end
  take_fixed(book .. ON.r, '-inf', plain(low), activate)
  take_fixed(book .. ON.f, plain(high), '+inf', activate)
end

-- Return the score of the first or the last of a sorted set, or nil.
local function edge(key, command)
  local found = redis.call(command, key, 0, 0, 'WITHSCORES')
  return found[2] and tonumber(found[2])
end

-- Beyond every price.
local FAR = 9e15

-- Note between which prices the next look is not worth while.
local function note_quiet(book, source)
  local from, to = -FAR, FAR
  local function above(level) if level and level < to then to = level end end
  local function below(level) if level and level > from then from = level end end
  local function next_to(level, step) return level and level + step end
  for _, rising in ipairs({SET.r, ON.r}) do above(next_to(edge(book .. rising, 'ZRANGE'), -1)) end
  for _, falling in ipairs({SET.f, ON.f}) do below(next_to(edge(book .. falling, 'ZREVRANGE'), 1)) end
  for _, trail in ipairs(TRAILS) do
    local peak = edge(book .. ':' .. trail .. ':peaks', 'ZRANGE')
    if peak then
      local level = edge(book .. ':' .. trail .. ':levels', 'ZREVRANGE') + 1
      if negates(trail) then
        below(-peak)
        above(-level)
      else
        above(peak)
        below(level)
      end
    end
  end
  local quiet = plain(from) .. '|' .. plain(to)
  if from == -FAR and to == FAR then quiet = '*' end
  redis.call('HSET', KEYS[1] .. ':meta', 'quiet:' .. source, quiet)
end

for _, index in ipairs(loud) do
  if work > 0 then
    local source, price = SOURCES[index], ARGV[index + 2]
    local book = KEYS[1] .. ':' .. source
    local low, high = units(price, places)
    local met = 'met:' .. source
    if redis.call('HGET', KEYS[1] .. ':meta', met) ~= number then
      admit(book, '(' .. number)
      if work > 0 then evaluate(book, source, price, low, high) end
      if work > 0 then redis.call('HSET', KEYS[1] .. ':meta', met, number) end
    end
    if work > 0 then admit(book, number) end
    if work > 0 then begin_blank(book, low, high) end
    if work > 0 and redis.call('EXISTS', book .. ':staged') == 0 then note_quiet(book, source) end
  end
end
if work > 0 then
  redis.call('HSET', KEYS[1] .. ':meta', 'tick', number)
else
  answer[1] = 'more'
end
return answer
