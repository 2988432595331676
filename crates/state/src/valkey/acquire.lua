-- Takes a lock, unless somebody holds it. Answers its fence, or 0.
-- KEYS[1] the lock, KEYS[2] its last fence
-- ARGV    time to live in milliseconds, holder
if redis.call('GET', KEYS[1]) then
  return 0
end
-- The fence is the server's time in microseconds, or one more than the last: it grows even if the server forgets.
local clock = redis.call('TIME')
local fence = math.max(clock[1] * 1000000 + clock[2], tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
local text = string.format('%.0f', fence)
-- Remembered a day longer than the lock can last, which is longer than clocks are set back.
redis.call('SET', KEYS[2], text, 'PX', tonumber(ARGV[1]) + 86400000)
redis.call('SET', KEYS[1], text .. ' ' .. ARGV[2], 'PX', ARGV[1])
return fence
