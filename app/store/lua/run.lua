-- Library: the run that the server is in, from its start to its end.
--   present_run()             Returns its name, which no other start of any server has
--   note_run(runs, run, ends, ids, canary, now)  Returns its name, having noted that it still lasts:
--     runs    sorted set  runs by when they were last seen; `first` is before all of them
--     run     hash        `name` of the newest, `begun` (server ms) and `mark`, the last id before it
--     ends    hash        run -> the last id that was handed out in it; `first` as above
--     ids     string      the last id handed out
--     canary  string      when a canary last came through; of a store that knows no runs yet
-- The oldest of too many runs but the very first are forgotten; what was last vouched for in one of
-- them counts as never vouched for.
local RUNS_MAX = 1000

local function present_run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
end

local function note_run(runs, run, ends, ids, canary, now)
  local name, before = present_run(), redis.call('HGET', run, 'name')
  if before ~= name then
    local mark = redis.call('GET', ids) or '0'
    redis.call('ZADD', runs, 'NX', redis.call('GET', canary) or now, 'first')
    redis.call('HSET', ends, before or 'first', mark)
    redis.call('HSET', run, 'name', name, 'mark', mark, 'begun', now)
    for _, old in ipairs(redis.call('ZRANGE', runs, 1, -RUNS_MAX)) do
      redis.call('ZREM', runs, old)
      redis.call('HDEL', ends, old)
    end
  end
  redis.call('ZADD', runs, now, name)
  return name
end
