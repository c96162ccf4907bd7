-- book_done(KEYS: fired; ARGV: number of a tick, then members)
--   fired  hash  member → `<tick>|...`, until its owner knows
-- Forgets what fired at that tick; what has fired again since stays. Returns {'ok'}.

for at = 2, #ARGV do
  local value = redis.call('HGET', KEYS[1], ARGV[at])
  if value and string.match(value, '^(%d+)|') == ARGV[1] then
    redis.call('HDEL', KEYS[1], ARGV[at])
  end
end
return {'ok'}
