-- paper_forget_news(KEYS: news, accounts; ARGV: account, then client order id and version in turn)
--   news      hash  client order id → version of the commit that changed it unasked
--   accounts  set   accounts of the shard with unread news
-- An order whose news is newer than the version given keeps it. Returns {'ok'}.

for index = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', KEYS[1], ARGV[index])
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[1])
end
return {'ok'}
