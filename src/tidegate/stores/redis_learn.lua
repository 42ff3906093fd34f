-- What was spent before a counter was there comes into it, once, from whoever asks first.
-- KEYS: the epoch, state and leases. ARGV: the epoch, "begin" or "fill", the word of who does it,
-- how long others wait for that, in us, and the counter's arguments; to fill, then amounts and
-- where in time each lies, in us (of a calendar: where its period begins).
-- Returns 1 when it is known now, 2 when the asker is to fill it, 0 when somebody else is.

if strange() then return -1 end
local c = load(2, 5)
if known(c) then return 1 end
local filling = redis.call('HMGET', c.key, 'by', 'by_us')

-- Only what is held still counts: what was settled is in the ledger, or will be when it is read.
local function begin()
  if filling[1] and now_us < number(filling[2]) + number(ARGV[4]) then return 0 end
  if c.shape == rolling then clear(c, c.size) end
  c.v = 0
  local fields = redis.call('HKEYS', c.key)
  for _, field in ipairs(fields) do
    if string.sub(field, 1, 2) == 'h:' then
      local hold = hold_of(c, string.sub(field, 3))
      c.shape.add(c, hold.amount, hold.place)
    end
  end
  redis.call('HSET', c.key, 'by', ARGV[3], 'by_us', text(now_us))
  return 2
end

local function fill()
  if filling[1] ~= ARGV[3] then return 0 end
  for i = 5 + ARGUMENTS, #ARGV, 2 do
    local place = number(ARGV[i + 1]) / 1000000
    if c.shape == rolling then place = math.min(c.place, place_of(c, number(ARGV[i + 1]))) end
    c.shape.add(c, number(ARGV[i]), place)
  end
  redis.call('HDEL', c.key, 'by', 'by_us')
  redis.call('HSET', c.key, 'known', 1)
  return 1
end

local answer
if ARGV[2] == 'begin' then answer = begin() else answer = fill() end
save(c)
return answer
