-- Gives a lock back, if it is still this lease's.
-- KEYS[1] the lock
-- ARGV    fence, holder
if redis.call('GET', KEYS[1]) == ARGV[1] .. ' ' .. ARGV[2] then
  redis.call('DEL', KEYS[1])
end
return 0
