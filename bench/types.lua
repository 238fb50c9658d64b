-- Paced POSTs as paced.lua does them, of events whose types go round `t.0` … `t.TYPES-1`; every
-- SKEW-th is of type `t.0`, so that one endpoint has its slots full.
dofile("bench/paced.lua")

local types = tonumber(os.getenv("TYPES"))
local skew = tonumber(os.getenv("SKEW"))
local before, after = os.getenv("BODY"):match('^(.-)"type":"[^"]*"(.*)$')
local count = 0

function request()
  count = count + 1
  local number = count % skew == 0 and 0 or count % types
  return wrk.format(nil, nil, nil, before .. '"type":"t.' .. number .. '"' .. after)
end
