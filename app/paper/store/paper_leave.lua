-- paper_leave(KEYS: book, books; ARGV: name of the book, then members)
--   book   sorted set  resting orders by price
--   books  set         names of the books that hold something
-- Returns {'ok'}.

for index = 2, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[index])
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[1])
end
return {'ok'}
