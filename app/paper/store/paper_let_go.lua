-- paper_let_go(KEYS: account, orders, repeats, news of one account;
--              ARGV: greatest number of the rows, then client order id and record of each)
--   account  hash  `left` and `left_number`: the greatest client order id of an order, and number of
--                  a row, that have left
--   orders   hash  client order id → record
--   repeats  list  records of refused repeats
--   news     hash  client order id → version: somebody has yet to read its record
-- A row leaves if it is as the history has it, and no news. That it may have left is told in the
-- same step: from then on nobody takes its absence for proof.
-- Returns {'ok', how many have left}.

-- Byte by byte: to compare texts goes by the language that the server was started in.
local function is_after(one, other)
  for at = 1, #one do
    local a, b = string.byte(one, at), string.byte(other, at) or -1
    if a ~= b then return a > b end
  end
  return false
end

local found = redis.call('HMGET', KEYS[1], 'left', 'left_number')
local newest, left = found[1] or '', 0
for at = 2, #ARGV, 2 do
  local id, record = ARGV[at], ARGV[at + 1]
  if redis.call('HGET', KEYS[2], id) ~= record then
    left = left + redis.call('LREM', KEYS[3], 1, record)
  elseif redis.call('HEXISTS', KEYS[4], id) == 0 then
    left = left + redis.call('HDEL', KEYS[2], id)
    if is_after(id, newest) then newest = id end
  end
end
if left > 0 then
  local last = math.max(tonumber(ARGV[1]), tonumber(found[2] or 0))
  redis.call('HSET', KEYS[1], 'left', newest, 'left_number', string.format('%.0f', last))
end
return {'ok', left}
