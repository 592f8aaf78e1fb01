-- Token buckets shared by every process: one call for any number of them, and Valkey's clock for all.
-- KEYS: the buckets. ARGV, four for each: tokens a second, tokens at most, tokens to take, and 1 to take them only if they are there.
-- Answers with what is left in each; below zero where it was not enough. Tokens that a process has given out already are always taken.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local left = {}
for number, key in ipairs(KEYS) do
  local first = (number - 1) * 4
  local rate, most, wanted = tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3])
  local held = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = most
  if held[1] then
    tokens = math.min(most, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * rate)
  end
  local after = tokens - wanted
  if after >= 0 or ARGV[first + 4] == '0' then
    tokens = math.max(after, -most)
  end
  redis.call('HSET', key, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil((most - tokens) / rate * 1000) + 1000)
  left[number] = string.format('%.6f', after)
end
return left
