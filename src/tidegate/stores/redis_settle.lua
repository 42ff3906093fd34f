-- What was held becomes what was used. KEYS: the epoch, then state and leases of each.
-- ARGV: the epoch, then for each: the hold's id, what is held from now on, what was used of it,
-- seq, whether the hold may be unknown, and its arguments. Nothing is done twice: a hold with seq 0
-- is settled once and forgotten, others pass over a seq that they have seen.
-- Returns {1, tight, ...}.

if strange() then return {-1} end

local function settle(c, at)
  local id, held, used = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local seq = tonumber(ARGV[at + 3])
  local hold = hold_of(c, id)
  if not hold then
    if ARGV[at + 4] ~= '1' then return end
    hold = {amount = 0, place = c.place, seq = 0}
    if c.shape == rolling and c.p3 > 0 then hold.place = math.min(c.place, place_of(c, c.p3)) end
  end
  if seq > 0 and hold.seq >= seq then return end
  if c.shape == gauge then used = 0 end
  if c.shape == calendar and hold.place ~= c.place then
    hold.amount, used = held, 0 -- of a period that is over
  end
  c.shape.add(c, held - hold.amount + used, hold.place)
  if held == 0 and seq == 0 then
    drop(c, id)
  else
    hold.amount, hold.seq = held, seq
    keep(c, id, hold)
  end
  c.changed = true
end

local answer = {1}
for i = 1, (#KEYS - 1) / 2 do
  local at = 2 + (i - 1) * (ARGUMENTS + 5)
  local c = load(2 * i, at + 5)
  settle(c, at)
  if c.changed then save(c) end
  answer[#answer + 1] = c.allowed - c.v < c.reserve and 1 or 0
end
return answer
