-- The rate limit (GCRA) on the server's clock, in microseconds. The same as `gcra.rs`.
-- KEYS[1] the counter: the moment at which it is full again
-- ARGV    interval, tolerance, cost, "take" or "peek"
-- Answers allowed (1 or 0), units left, microseconds to wait
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, tolerance, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local taken = full_at + cost
local wait = taken - now - tolerance
if wait > 0 then
  return {0, math.floor(math.max(tolerance - (full_at - now), 0) / interval), wait}
end
if ARGV[4] == 'take' and taken > now then
  -- A counter that is full again needs no key.
  redis.call('SET', KEYS[1], string.format('%.0f', taken), 'PX', math.ceil((taken - now) / 1000))
end
return {1, math.floor((tolerance - (taken - now)) / interval), 0}
