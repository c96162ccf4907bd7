-- beyond(ARGV: of each command the number of its words, then these)
-- Carries out plain commands as one, beyond `maxmemory` like every script of ours. Its keys are not
-- named apart: the server is no cluster.
-- Returns the answers; the error of one is in its place, and the others are carried out.

local answers, at = {}, 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  answers[#answers + 1] = redis.pcall(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return answers
