-- An epoch begins, if whoever fills it still holds the lock. KEYS: the lock, the epoch.
-- ARGV: the lock's word, the new epoch. Returns 1, or 0 when the lock has passed to another.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 1
