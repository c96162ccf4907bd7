-- book_forget(KEYS: books; ARGV: symbol, score)
--   books  sorted set  symbol by the server time at which something was last armed
-- Takes a symbol out, unless something was armed since. Returns {'ok'}.

if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {'ok'}
