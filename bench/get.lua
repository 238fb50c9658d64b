-- GET, as often as it is answered.
dofile("bench/result.lua")
