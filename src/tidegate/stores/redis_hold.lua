-- Whoever holds a lock holds it for so long from now on. KEYS: the lock. ARGV: its word, and how
-- long, in ms; 0 gives it back. Returns 1, or 0 when the lock has passed to another.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
