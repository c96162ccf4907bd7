-- Library: trailing triggers (docs/design.md). Returns nothing by itself.
-- Of each book there are up to four structures, by what they trail: `fa`, `fp` fall from a peak by an
-- amount or a percentage, `ra`, `rp` rise from a trough. Rising ones are kept as falling ones with all
-- prices negated, so each rule is written once.
--   <book>:<trail>:peaks    sorted set  group → its peak
--   <book>:<trail>:levels   sorted set  group → at or below this its first trigger fires; an upper
--                                       bound once that trigger was disarmed
--   <book>:<trail>:g<n>     sorted set  group: run → its smallest offset, or a lower bound of that
--   <book>:<trail>:r<n>     sorted set  run: member → offset; it never moves to another run
--   <book>:<trail>:group    hash        run → its group
--   <book>:held             hash        member → where it is, see book_arm.lua
-- All triggers of a group have the same peak, now and ever after, so a newcomer at the group's peak
-- joins a run that is there. At a new high the groups that it reaches become one: the names of runs
-- move into the largest group, which is why a name moves only log2 times in its life.

-- Command arguments are unpacked, of which Lua allows some thousands.
local CHUNK = 1000

local TRAILS = {'fa', 'fp', 'ra', 'rp'}

local function negates(trail) return string.sub(trail, 1, 1) == 'r' end
local function counts_percent(trail) return string.sub(trail, 2, 2) == 'p' end

-- Return the peak and the price to compare of a tick, each rounded away from firing early.
local function sides(trail, low, high)
  if negates(trail) then return -high, -low end
  return low, high
end

local function level_of(trail, peak, offset)
  if counts_percent(trail) then return peak - share(math.abs(peak), offset) end
  return peak - offset
end

-- Return the greatest offset that fires at this price.
local function offset_within(trail, peak, price)
  if counts_percent(trail) then return percentage_within(math.abs(peak), peak - price) end
  return peak - price
end

-- Set the peak of a group, and the level that follows from its smallest offset.
local function raise(base, trail, group, peak)
  local head = redis.call('ZRANGE', base .. 'g' .. group, 0, 0, 'WITHSCORES')
  if #head == 0 then
    redis.call('ZREM', base .. 'peaks', group)
    redis.call('ZREM', base .. 'levels', group)
    return
  end
  redis.call('ZADD', base .. 'peaks', plain(peak), group)
  redis.call('ZADD', base .. 'levels', plain(level_of(trail, peak, tonumber(head[2]))), group)
end

-- Let a trigger trail from a price: it joins the group with that peak.
local function join(book, trail, member, offset, peak)
  local base = book .. ':' .. trail .. ':'
  local group = redis.call('ZRANGEBYSCORE', base .. 'peaks', plain(peak), plain(peak), 'LIMIT', 0, 1)[1]
  local run
  if group then
    run = redis.call('ZRANGE', base .. 'g' .. group, 0, 0)[1]
  else
    group = plain(redis.call('HINCRBY', KEYS[1] .. ':meta', 'names', 1))
    run = group
    redis.call('HSET', base .. 'group', run, group)
  end
  redis.call('ZADD', base .. 'r' .. run, plain(offset), member)
  redis.call('HSET', book .. ':held', member, 't|' .. trail .. '|' .. run)
  local head = redis.call('ZSCORE', base .. 'g' .. group, run)
  if not head or offset < tonumber(head) then
    redis.call('ZADD', base .. 'g' .. group, plain(offset), run)
    raise(base, trail, group, peak)
  end
end

-- Take a trigger out of its run; a run that is empty then leaves its group.
local function leave(book, trail, run, member)
  local base = book .. ':' .. trail .. ':'
  redis.call('ZREM', base .. 'r' .. run, member)
  if redis.call('EXISTS', base .. 'r' .. run) == 1 then return end
  local group = redis.call('HGET', base .. 'group', run)
  redis.call('HDEL', base .. 'group', run)
  redis.call('ZREM', base .. 'g' .. group, run)
  if redis.call('EXISTS', base .. 'g' .. group) == 0 then
    redis.call('ZREM', base .. 'peaks', group)
    redis.call('ZREM', base .. 'levels', group)
  end
end

-- Move up to `most` runs from one group to another with the same peak. Returns how many.
local function move(base, from, to, most)
  local moved = 0
  while moved < most do
    local runs = redis.call('ZRANGE', base .. 'g' .. from, 0, math.min(CHUNK, most - moved) - 1, 'WITHSCORES')
    if #runs == 0 then return moved end
    local scored, owned = {}, {}
    for index = 1, #runs, 2 do
      scored[index], scored[index + 1] = runs[index + 1], runs[index]
      owned[index], owned[index + 1] = runs[index], to
    end
    redis.call('ZADD', base .. 'g' .. to, unpack(scored))
    redis.call('HSET', base .. 'group', unpack(owned))
    redis.call('ZREMRANGEBYRANK', base .. 'g' .. from, 0, #runs / 2 - 1)
    moved = moved + #runs / 2
  end
  return moved
end

-- Let the groups whose peak a price has reached become one at that price, or begin to: every state
-- on the way is a right one. Takes up to `work` steps; returns how many are left.
local function climb(book, trail, peak, work)
  local base = book .. ':' .. trail .. ':'
  while work > 0 do
    local tail = redis.call('ZRANGEBYSCORE', base .. 'peaks', '-inf', plain(peak), 'WITHSCORES', 'LIMIT', 0, CHUNK)
    if #tail == 0 then return work end
    if #tail == 2 then
      if tonumber(tail[2]) < peak then raise(base, trail, tail[1], peak) end
      return work
    end
    local largest, size = nil, -1
    for index = 1, #tail, 2 do
      local count = redis.call('ZCARD', base .. 'g' .. tail[index])
      if count > size then largest, size = tail[index], count end
    end
    for index = 1, #tail, 2 do
      if tail[index] ~= largest and work > 0 then
        work = work - 1 - move(base, tail[index], largest, work)
        raise(base, trail, tail[index], peak)
      end
    end
    raise(base, trail, largest, peak)
  end
  return work
end

-- Hand every trigger that this price reaches to `take`, with the extreme from which it trailed, up to
-- `work` of them; returns how many are left to take.
local function fall(book, trail, price, work, take)
  local base = book .. ':' .. trail .. ':'
  while work > 0 do
    local first = redis.call('ZREVRANGE', base .. 'levels', 0, 0, 'WITHSCORES')
    if #first == 0 or tonumber(first[2]) < price then return work end
    local group = first[1]
    local peak = tonumber(redis.call('ZSCORE', base .. 'peaks', group))
    local most = plain(offset_within(trail, peak, price))
    local runs = redis.call('ZRANGEBYSCORE', base .. 'g' .. group, '-inf', most, 'LIMIT', 0, CHUNK)
    for _, run in ipairs(runs) do
      if work > 0 then
        local members = redis.call('ZRANGEBYSCORE', base .. 'r' .. run, '-inf', most, 'LIMIT', 0, math.min(work, CHUNK))
        if #members > 0 then
          redis.call('ZREM', base .. 'r' .. run, unpack(members))
          redis.call('HDEL', book .. ':held', unpack(members))
          take(members, negates(trail) and -peak or peak)
        end
        work = work - 1 - #members
        local head = redis.call('ZRANGE', base .. 'r' .. run, 0, 0, 'WITHSCORES')
        if #head == 0 then
          redis.call('ZREM', base .. 'g' .. group, run)
          redis.call('HDEL', base .. 'group', run)
        else
          redis.call('ZADD', base .. 'g' .. group, head[2], run)
        end
      end
    end
    raise(base, trail, group, peak)
  end
  return work
end
