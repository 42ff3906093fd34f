-- The shapes of counters, on the server's clock alone.
--
-- A counter is a hash: v is what is counted now, and every hold has a field, h:ID = "amount place
-- seq". KEY:leases orders the holds by the end of their lease. A hold's place says where in time
-- its amount was counted, so that what is given back is taken off there, or nowhere when time has
-- carried it away already.

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local KEPT_MS = 60000 -- how much longer than it says anything a counter is kept
local GAUGE_RETRY_US = 1000000 -- as GAUGE_RETRY_S

local function text(number) return string.format('%.17g', number) end

local function number(value) return tonumber(value or 0) end

local bucket = {}

function bucket.load(c)
  local kept = redis.call('HMGET', c.key, 'v', 't')
  local last_us = number(kept[2])
  c.t, c.place = math.max(now_us, last_us), 0
  c.v = math.max(0, number(kept[1]) - c.p1 * (c.t - last_us) / 1000000)
end

function bucket.add(c, delta) c.v = math.max(0, c.v + delta) end

function bucket.save(c)
  redis.call('HSET', c.key, 'v', c.v, 't', c.t)
  return c.v / c.p1 * 1000
end

function bucket.reset_us(c) return c.v / c.p1 * 1000000 end

function bucket.retry_us(c, amount)
  return math.max(0, c.v + amount - c.allowed) / c.p1 * 1000000
end

-- Parts of the window lie in a ring of one more than there are parts: field r0, r1, ...
local rolling = {}

local function place_of(c, at_us) return math.max(math.floor(at_us / c.width), 0) end

local function clear(c, size)
  for i = 0, size - 1 do redis.call('HDEL', c.key, 'r' .. i) end
end

function rolling.load(c)
  local kept = redis.call('HMGET', c.key, 'v', 'n', 'width')
  local size = c.p2 + 1
  c.width = math.floor(c.p1 / c.p2)
  c.v, c.size = number(kept[1]), size
  local last = number(kept[2])
  c.place = place_of(c, now_us)
  if kept[3] and number(kept[3]) ~= c.width then -- the plan has cut the window anew
    clear(c, number(redis.call('HGET', c.key, 'size')))
    if c.v > 0 then redis.call('HSET', c.key, 'r' .. c.place % size, c.v) end
    rolling.save(c)
  elseif kept[2] then
    c.place = math.max(c.place, last)
    if c.place - last >= size then
      clear(c, size)
      c.v = 0
    else
      for n = last + 1, c.place do
        local field = 'r' .. n % size
        c.v = c.v - number(redis.call('HGET', c.key, field))
        redis.call('HDEL', c.key, field)
      end
    end
    if c.place ~= last then rolling.save(c) end
  end
end

function rolling.add(c, delta, place)
  if place <= c.place - c.size then return end
  local field = 'r' .. place % c.size
  local there = number(redis.call('HGET', c.key, field))
  delta = math.max(delta, -there)
  redis.call('HSET', c.key, field, text(there + delta))
  c.v = c.v + delta
end

function rolling.save(c)
  redis.call('HSET', c.key, 'v', c.v, 'n', c.place, 'width', c.width, 'size', c.size)
  return c.p1 / 1000 + c.width / 1000
end

local function gone_us(c, n) return (n + c.size) * c.width - now_us end

function rolling.reset_us(c) return c.v > 0 and gone_us(c, c.place) or 0 end

function rolling.retry_us(c, amount)
  local fields = {}
  for n = c.place - c.size + 1, c.place do fields[#fields + 1] = 'r' .. n % c.size end
  local left = c.v
  for i, part in ipairs(redis.call('HMGET', c.key, unpack(fields))) do
    if left + amount <= c.allowed then return math.max(0, gone_us(c, c.place - c.size + i - 1)) end
    left = left - number(part)
  end
  return gone_us(c, c.place)
end

-- p1 to p4 are the edges of the last period, this one and the next, as the gateway's clock has
-- them; which of the three it is the server's clock says. No period comes back.
local calendar = {}

function calendar.load(c)
  local kept = redis.call('HMGET', c.key, 'v', 'p', 'until')
  local now_s = now_us / 1000000
  if now_s < c.p2 then c.place, c.ends = c.p1, c.p2
  elseif now_s < c.p3 then c.place, c.ends = c.p2, c.p3
  else c.place, c.ends = c.p3, c.p4 end
  c.v = 0
  if kept[2] and number(kept[2]) >= c.place then
    c.v, c.place, c.ends = number(kept[1]), number(kept[2]), number(kept[3])
  end
end

function calendar.add(c, delta, place)
  if place == c.place then c.v = math.max(0, c.v + delta) end
end

function calendar.save(c)
  redis.call('HSET', c.key, 'v', c.v, 'p', c.place, 'until', c.ends)
  return math.max(0, c.ends * 1000 - now_us / 1000)
end

function calendar.retry_us(c) return math.max(0, c.ends * 1000000 - now_us) end

function calendar.reset_us(c) return c.v > 0 and calendar.retry_us(c) or 0 end

local gauge = {}

function gauge.load(c)
  c.v, c.place = number(redis.call('HGET', c.key, 'v')), 0
end

function gauge.add(c, delta) c.v = math.max(0, c.v + delta) end

function gauge.save(c)
  redis.call('HSET', c.key, 'v', c.v)
  return 0
end

-- When others end nobody knows.
function gauge.reset_us(c) return c.v > 0 and -1 or 0 end

function gauge.retry_us(c) return GAUGE_RETRY_US end

local function fits(c, amount)
  -- a thousandth of a unit, so that fractions of seconds cannot refuse the last whole one
  return amount == 0 or c.v + amount <= c.allowed + 0.001
end

-- What is used, in how long all of it is free, in us (-1 when nobody knows), and in how long
-- `amount` is (-1 for never).
local function reading(c, amount)
  local retry_us = 0
  if amount > c.allowed then retry_us = -1
  elseif not fits(c, amount) then retry_us = math.ceil(c.shape.retry_us(c, amount)) end
  return math.ceil(c.v - 0.001), math.ceil(c.shape.reset_us(c)), retry_us
end

local SHAPES = {b = bucket, r = rolling, c = calendar, g = gauge}
local ARGUMENTS = 10 -- of one counter: shape, allowed, lease_ms, extra, reserve, p1 to p4, learns
local EXPIRED_AT_ONCE = 100

local function hold_of(c, id)
  local field = redis.call('HGET', c.key, 'h:' .. id)
  if not field then return nil end
  local amount, place, seq = string.match(field, '(%S+) (%S+) (%S+)')
  return {amount = tonumber(amount), place = tonumber(place), seq = tonumber(seq)}
end

local function drop(c, id)
  redis.call('HDEL', c.key, 'h:' .. id)
  redis.call('ZREM', c.leases, id)
end

local function keep(c, id, hold)
  local field = text(hold.amount) .. ' ' .. text(hold.place) .. ' ' .. text(hold.seq)
  redis.call('HSET', c.key, 'h:' .. id, field)
  redis.call('ZADD', c.leases, text(now_us / 1000 + c.lease_ms), id)
end

-- The counter whose keys and arguments begin there, as it stands now: what nobody has given back
-- in the time of its lease is free again.
local function load(key_at, at)
  local c = {
    key = KEYS[key_at], leases = KEYS[key_at + 1], shape = SHAPES[ARGV[at]],
    allowed = tonumber(ARGV[at + 1]), lease_ms = tonumber(ARGV[at + 2]),
    extra = tonumber(ARGV[at + 3]), reserve = tonumber(ARGV[at + 4]),
    p1 = tonumber(ARGV[at + 5]), p2 = tonumber(ARGV[at + 6]),
    p3 = tonumber(ARGV[at + 7]), p4 = tonumber(ARGV[at + 8]), learns = ARGV[at + 9] == '1',
  }
  c.shape.load(c)
  local ended = redis.call(
    'ZRANGEBYSCORE', c.leases, '-inf', text(now_us / 1000), 'LIMIT', 0, EXPIRED_AT_ONCE)
  for _, id in ipairs(ended) do
    local hold = hold_of(c, id)
    if hold then c.shape.add(c, -hold.amount, hold.place) end
    drop(c, id)
    c.changed = true
  end
  return c
end

local function save(c)
  local useful_ms = math.ceil(math.max(c.shape.save(c), c.lease_ms)) + KEPT_MS
  redis.call('PEXPIRE', c.key, text(useful_ms))
  redis.call('PEXPIRE', c.leases, text(useful_ms))
end

-- Whether what was spent before the counter was there is in it: of one that learns that.
local function known(c)
  return not c.learns or redis.call('HEXISTS', c.key, 'known') == 1
end

-- KEYS[1] says which epoch's counters are good; ARGV[1] is the one that the gateway believes in.
local function strange() return redis.call('GET', KEYS[1]) ~= ARGV[1] end
