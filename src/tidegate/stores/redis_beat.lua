-- KEYS: where gateways sign. ARGV: this one's name, or "" to ask only, and how long a signature
-- counts, in ms. Returns how many gateways there are, and the server's time in ms.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local kept_ms = tonumber(ARGV[2])
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[1], string.format('%d', now_ms), ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now_ms - kept_ms))
redis.call('PEXPIRE', KEYS[1], 10 * kept_ms)
return {redis.call('ZCARD', KEYS[1]), now_ms}
