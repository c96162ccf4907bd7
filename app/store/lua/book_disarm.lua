-- book_disarm(KEYS: symbol; ARGV: source, then of each trigger its member and `r`, `f` or '')
--   symbol  see book_fire.lua
-- The word beside the member is the way that a fixed trigger fires, '' of a trailing one. What has
-- fired already stays in the fired list. Returns {'ok'}.

local book = KEYS[1] .. ':' .. ARGV[1]
for at = 2, #ARGV, 2 do
  local member, way = ARGV[at], ARGV[at + 1]
  if way ~= '' then redis.call('ZREM', book .. SET[way], member) end
  let_go(book, member)
end
return {'ok'}
