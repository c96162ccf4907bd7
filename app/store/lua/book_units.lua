-- Library: whole numbers for prices, and exact arithmetic on them. Returns nothing by itself.
-- A price is counted in book units, of which 10^places make 1; a percentage in 1e-10 of a percent, of
-- which 10^12 make the whole price. Numbers of a script are doubles, exact below 2^53.

local WHOLE = 1e12

-- Return a number as text that every command reads exactly.
local function plain(number)
  return string.format('%.0f', number)
end

-- Return the book units of a decimal text, rounded down and rounded up.
local function units(text, places)
  local whole, rest = string.match(text, '^(%d+)%.?(%d*)$')
  local more = 0
  if #rest > places then
    if string.find(rest, '[1-9]', places + 1) then more = 1 end
    rest = string.sub(rest, 1, places)
  end
  local low = tonumber(whole .. rest .. string.rep('0', places - #rest))
  return low, low + more
end

-- Return base and count of the digits in which a percentage is multiplied with this price.
local function digits(price)
  if price < 9e12 then return 1000, 4 end
  return 10, 12
end

-- Return `percentage` of a price, rounded up: multiplied digit by digit, so that nothing is lost.
local function share(price, percentage)
  local base, count = digits(price)
  local product, lost = 0, 0
  for _ = 1, count do
    local digit = math.fmod(percentage, base)
    percentage = (percentage - digit) / base
    product = product + digit * price
    local rest = math.fmod(product, base)
    if rest > 0 then lost = 1 end
    product = (product - rest) / base
  end
  return product + lost
end

-- Return the greatest percentage whose share of a price is not above `distance`: long division.
local function percentage_within(price, distance)
  if distance < 0 then return -1 end
  if distance >= price then return WHOLE end
  local base, count = digits(price)
  local quotient, rest = 0, distance
  for _ = 1, count do
    rest = rest * base
    local left = math.fmod(rest, price)
    quotient = quotient * base + (rest - left) / price
    rest = left
  end
  return quotient
end
