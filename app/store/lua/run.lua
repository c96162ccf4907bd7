-- Library: the run that the server is in, from its start to its end.
--   present_run()  Returns its name, which no other start of any server has
--   note_run(runs, run, ends, now, told)  Returns its name, having noted that it still lasts:
--     runs  sorted set  runs by when they were last seen; `first` is before all of them
--     run   hash        `name` of the newest, `begun` (server ms) and `mark`, the last id before it
--     ends  hash        run -> the last id that was handed out in it; `first` as above
--     told  {name, mark, canary}: a run, the last id that was handed out, read when the run was known
--           to be the present one, and when a canary last came through or '' where none ever did; of a
--           store that knows no runs yet
-- A run that is new here is noted only if it was told: ids are handed out elsewhere. Else note_run
-- returns its name and true.
-- The oldest of too many runs but the very first are forgotten; what was last vouched for in one of
-- them counts as never vouched for.
local RUNS_MAX = 1000

local function present_run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
end

local function note_run(runs, run, ends, now, told)
  local name, before = present_run(), redis.call('HGET', run, 'name')
  if before ~= name then
    if told[1] ~= name then return name, true end
    redis.call('ZADD', runs, 'NX', told[3] ~= '' and told[3] or now, 'first')
    redis.call('HSET', ends, before or 'first', told[2])
    redis.call('HSET', run, 'name', name, 'mark', told[2], 'begun', now)
    for _, old in ipairs(redis.call('ZRANGE', runs, 1, -RUNS_MAX)) do
      redis.call('ZREM', runs, old)
      redis.call('HDEL', ends, old)
    end
  end
  redis.call('ZADD', runs, now, name)
  return name
end
