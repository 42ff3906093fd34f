-- All of these counters, or none. KEYS: the epoch, then state and leases of each.
-- ARGV: the epoch, "take" or "read", then for each: the hold's id, the amount, and its arguments.
-- Returns {1, granted, used, reset_us, retry_us, tight, ...}, {0, index, used, reset_us, retry_us}, or
-- {-2, index} where the past has to come into a counter first.

if strange() then return {-1} end
local counters = {}
local count = (#KEYS - 1) / 2
for i = 1, count do
  local at = 3 + (i - 1) * (ARGUMENTS + 2)
  local c = load(2 * i, at + 2)
  c.id, c.amount = ARGV[at], tonumber(ARGV[at + 1])
  counters[i] = c
end

local function give_up(answer)
  for _, c in ipairs(counters) do
    if c.changed then save(c) end
  end
  return answer
end

for i, c in ipairs(counters) do
  if not known(c) then return give_up({-2, i - 1}) end
end

-- Of those without room the one that takes longest to have some speaks; none takes longer than one
-- that never has.
if ARGV[2] == 'take' then
  local no
  for i, c in ipairs(counters) do
    if not fits(c, c.amount) then
      local used, reset_us, retry_us = reading(c, c.amount)
      if not no or no[5] >= 0 and (retry_us < 0 or retry_us > no[5]) then
        no = {0, i - 1, used, reset_us, retry_us}
      end
    end
  end
  if no then return give_up(no) end
end

local answer = {1}
for _, c in ipairs(counters) do
  local left, granted = c.allowed - c.v, c.amount
  if ARGV[2] == 'take' then
    if c.extra > 0 and left - granted - c.extra >= c.reserve then granted = granted + c.extra end
    local hold = hold_of(c, c.id) or {amount = 0, seq = 0, place = c.place}
    if c.shape == calendar and hold.place ~= c.place then hold.amount = 0 end
    c.shape.add(c, granted, c.place)
    hold.amount, hold.place = hold.amount + granted, c.place
    keep(c, c.id, hold)
    c.changed = true
  end
  if c.changed then save(c) end -- leases that have ended stay ended, for a reader too
  local used, reset_us, retry_us = reading(c, ARGV[2] == 'read' and c.amount or 0)
  answer[#answer + 1] = granted
  answer[#answer + 1] = used
  answer[#answer + 1] = reset_us
  answer[#answer + 1] = retry_us
  answer[#answer + 1] = left - granted < c.reserve and 1 or 0
end
return answer
