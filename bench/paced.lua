-- POST as post.lua does it, each connection pausing DELAY_MS (with a fraction) between requests, so
-- that the rate is bounded; when each event's answer came goes to ANSWERED: a line `id seconds`.
dofile("bench/post.lua")

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanos; } bench_timespec;
  int clock_gettime(int clock, bench_timespec* time);
]]

local now = ffi.new("bench_timespec")
local answered
local pause = tonumber(os.getenv("DELAY_MS"))

function init()
  math.randomseed(1)
  answered = io.open(os.getenv("ANSWERED"), "w")
end

-- Spread evenly around the mean, so that the connections do not move in step.
function delay()
  return math.floor(pause * 2 * math.random() + 0.5)
end

function response(status, headers, body)
  ffi.C.clock_gettime(0, now)
  if status == 201 then
    local id = body:match('"id":"([^"]+)"')
    answered:write(string.format("%s %d.%09d\n", id, tonumber(now.seconds), tonumber(now.nanos)))
  end
end
