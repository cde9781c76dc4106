-- The language itself: scopes, closures, coroutines, metatables, goto, numbers, errors, garbage.
local function show(...)
  local out = table.pack(...)
  for i = 1, out.n do out[i] = tostring(out[i]) end
  print(table.concat(out, " ", 1, out.n))
end

show("arguments", ...)

-- closures and upvalues: shared, fresh in each iteration, and through varargs
local function account(balance)
  return function(n) balance = balance + n; return balance end, function() return balance end
end
local deposit, balance = account(10)
deposit(5); deposit(-3); show("account", balance())
local each = {}
for i = 1, 5 do local j = i * i; each[i] = function() j = j + 1; return j end end
each[2](); show("fresh", each[1](), each[2](), each[5]())
local function curry(f, ...)
  local held = table.pack(...)
  return function(...)
    local all = table.move(table.pack(...), 1, select("#", ...), held.n + 1, table.move(held, 1, held.n, 1, {}))
    return f(table.unpack(all, 1, held.n + select("#", ...)))
  end
end
show("curry", curry(math.max, 3, 9)(4, 7), select(-2, "a", "b", "c"))

-- coroutines: generators, two that feed each other, errors and closing inside
local function permutations(list)
  local function go(n)
    if n == 0 then coroutine.yield(list) end
    for i = 1, n do
      list[n], list[i] = list[i], list[n]
      go(n - 1)
      list[n], list[i] = list[i], list[n]
    end
  end
  return coroutine.wrap(function() go(#list) end)
end
local count, last = 0, nil
for p in permutations { "a", "b", "c", "d" } do count = count + 1; last = table.concat(p) end
show("permutations", count, last)
local function producer(n)
  return coroutine.create(function() for i = 1, n do coroutine.yield(i) end return "done" end)
end
local function filter(source, keep)
  return coroutine.create(function()
    while true do
      local _, value = coroutine.resume(source)
      if coroutine.status(source) == "dead" then return value end
      if keep(value) then coroutine.yield(value * 10) end
    end
  end)
end
local chain = filter(filter(producer(30), function(v) return v % 2 == 0 end), function(v) return v % 3 == 0 end)
local seen = {}
repeat
  local _, v = coroutine.resume(chain)
  seen[#seen + 1] = tostring(v)
until coroutine.status(chain) == "dead"
show("chain", table.concat(seen, ","))
local broken = coroutine.create(function(a)
  local guard <close> = setmetatable({}, { __close = function(_, e) show("closed with", type(e)) end })
  local b = coroutine.yield(a + 1)
  error({ code = b })
end)
show(coroutine.resume(broken, 1))
local ok, e = coroutine.resume(broken, 17)
show(ok, type(e), e.code, coroutine.status(broken), coroutine.resume(broken))
show(coroutine.isyieldable(), coroutine.close(coroutine.create(print)))
show(pcall(coroutine.wrap(function() error "in wrap" end)))
local outer = coroutine.wrap(function() return pcall(function() coroutine.yield(1); error("x", 0) end) end)
show(outer(), outer())

-- metatables: every event
local log = {}
local M = {}
for event in ("add sub mul div mod pow unm idiv band bor bxor shl shr bnot concat"):gmatch "%a+" do
  M["__" .. event] = function() log[#log + 1] = event; return event end
end
M.__len = function() return 42 end
M.__eq = function(a, b) return a.key == b.key end
M.__lt = function(a, b) return a.key < b.key end
M.__le = function(a, b) return a.key <= b.key end
M.__call = function(self, ...) return self.key, select("#", ...) end
M.__index = function(_, k) return k .. "?" end
M.__newindex = function(t, k, v) rawset(t, k, v and v .. "!") end
M.__tostring = function(t) return "M(" .. t.key .. ")" end
M.__pairs = function(t) local i = 0 return function() i = i + 1; if i < 4 then return i, t.key * i end end end
local a, b = setmetatable({ key = 1 }, M), setmetatable({ key = 2 }, M)
local _ = { a + b, 1 - a, a * "x", a / b, a % b, a ^ 2, -a, a // b, a & 1, 1 | a, a ~ b, a << 1, a >> 1, ~a, a .. "s" }
show(table.concat(log, " "))
show(#a, a == b, a ~= b, a < b, a <= b, a > b, a(1, nil, nil), a.other, rawlen(a), rawequal(a, a), tostring(a))
a.field = "value"; show(a.field, rawget(a, "none"), next({}), getmetatable("").__index == string)
for k, v in pairs(b) do io.write(k, "=", v, " ") end print()
show(pcall(function() return {} + 1 end)); show(pcall(function() return {} < {} end))
show(pcall(function() local q; q.x.y = 1 end)); show(pcall(function() return #5 end)); show(pcall(function() return ("x")() end))
show(pcall(setmetatable, setmetatable({}, { __metatable = "locked" }), {}))

-- inheritance and method calls
local Shape = { sides = 0 }
function Shape:new(o) o = o or {}; self.__index = self; return setmetatable(o, self) end
function Shape:describe() return ("%s with %d sides, area %.3f"):format(self.name, self.sides, self:area()) end
local Square = Shape:new { sides = 4, name = "square" }
function Square:area() return self.edge ^ 2 end
local Odd = Square:new { name = "odd" }
function Odd:area() return Square.area(self) / 3 end
show(Square:new { edge = 3 }:describe(), "|", Odd:new { edge = 2 }:describe())

-- control flow: goto, and numeric loops at the ends of their ranges
do
  local i = 1
  ::top::
  if i <= 3 then
    for j = 1, 9 do
      if j * i > 6 then goto out end
      if j % 2 == 0 then goto next end
      io.write(i, ".", j, " ")
      ::next::
    end
    ::out::
    i = i + 1
    goto top
  end
  print()
end
for i = math.maxinteger - 2, math.maxinteger do io.write(i - math.maxinteger, " ") end
for x = 1.0, 0, -0.25 do io.write(x, " ") end
for i = 3, 1 do io.write("never", i) end print()
show(pcall(function() for i = 1, 10, 0 do show(i) end end)); show(pcall(function() for i = "a", 2 do show(i) end end))

-- numbers
show(7 // 2, -7 // 2, 7 // -2.0, -7 % 3, 7 % -3, -7.5 % 2, 5.3 % math.huge, -5.3 % math.huge, 1 // 0.0)
show(pcall(function() return 1 // 0 end)); show(pcall(function() return 1 % 0 end))
show(math.maxinteger + 1 == math.mininteger, math.mininteger // -1, math.mininteger % -1, 1 << 63, 1 << 64, -1 >> 1)
show(0x7fffffffffffffff, 0xffffffffffffffff, 0x1p4, 1e15, 1e16, 123456789012345678901, .1 + .2, 100 / 2, "10" + 5, 10 .. 20)
show(math.tointeger(3.0), math.tointeger(3.5), math.tointeger("8"), 3 == 3.0, math.type(1), math.type(1.0), math.type("1"))
show(pcall(function() return 1.5 | 0 end)); show(pcall(function() return "a" | 0 end))
show(tonumber("z", 36), tonumber("7fff", 16), tonumber("1e1"), tonumber("  0x.8p1  "), tonumber("1 2"), tonumber("", 10))
show(math.fmod(-7, 3), math.modf(-3.7), math.floor(-3.5), math.ceil(-3.5), math.ult(1, -1), math.abs(math.mininteger))
show(math.sqrt(2), math.exp(1), math.log(8, 2), math.log(100, 10), math.sin(1), math.atan(1, -1), 2 ^ 0.5, 2 ^ 53 == 2 ^ 53 + 1)
math.randomseed(42); local r1 = math.random(1000); math.randomseed(42)
show("random", r1, r1 == math.random(1000), math.random(0) ~= 0, pcall(math.random, 2, 1))

-- errors: levels, objects, tracebacks, handlers, nesting
local function level(n) error("at level " .. n, n) end
for n = 0, 2 do show(pcall(level, n)) end
show(select(2, pcall(error))); show(select(2, pcall(error, setmetatable({}, { __tostring = function() return "object" end }))))
show(xpcall(function() local t = {}; t.a.b = 1 end, function(m) return "handled: " .. m end))
print((select(2, xpcall(function() level(1) end, debug.traceback))))
show(xpcall(error, function() error("again") end, "first"))
show(pcall(string.rep)); show(pcall(ipairs)); show(pcall(setmetatable, 1, {})); show(pcall(table.concat, { 1, {}, 3 }))
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
show(pcall(deep, 150000)); show(select("#", table.unpack({}, 1, 200))); show(pcall(table.unpack, {}, 1, 1e7))
local function overflow() return 1 + overflow() end
show((pcall(overflow)), (pcall(string.rep, "x", 1 << 60)))

-- chunks that do not compile, chunks by pieces, binary chunks
for _, text in ipairs { "return 1 +", "x = = 2", "goto nowhere", "break", "local a <const> = 1; a = 2", "for i = 1 do end",
  "return '\\q'", "return [[open", "::a:: ::a::", "local t = {1, 2", "x = 'unfinished", "return 0x", "return 3..2", "a.b:c = 1",
  "\27Lua", "return '\\u{110000000}'", "local x <what> = 1", "x = }", "local function f() return end end", ("("):rep(300) } do
  local f, m = load(text, "=chunk")
  show(f and "compiled" or m)
end
show(load(coroutine.wrap(function() for _, p in ipairs { "return ", "10", " * ", "..." } do coroutine.yield(p) end end))(7))
local dumped = string.dump(load("local a = ...; local t = {a, 2, 'x', 1.5}; return function() return #t + a end", "=dumped"), true)
show(load(dumped, "binary", "b")(5)()); show(load(dumped, "binary", "t")); show((load(dumped:sub(1, 30), "cut", "b")))
local env = { print = show }; load("x = 5; print('in env', x, _G)", "=env", "t", env)(); show(x, env.x)

-- garbage: weak tables, finalisers, both modes; and debug
local weak = setmetatable({}, { __mode = "k" })
for i = 1, 100 do weak[{}] = i end
local finished = 0
for _ = 1, 50 do setmetatable({}, { __gc = function() finished = finished + 1 end }) end
collectgarbage(); collectgarbage(); show("weak", next(weak), "finalised", finished)
show(collectgarbage("generational"), collectgarbage("incremental"), collectgarbage("isrunning"))
local list; for i = 1, 20000 do list = { next = list, text = "n" .. i % 100 } end
local n = 0; while list do n = n + 1; list = list.next end; show("list", n, collectgarbage("count") > 0)
show(debug.getinfo(1, "l").currentline, debug.getinfo(level, "S").what, debug.getinfo(print).what, (debug.getlocal(1, 1)))
local lines = 0
debug.sethook(function() lines = lines + 1 end, "l")
for i = 1, 3 do
  local j = i
end
debug.sethook(); show("hook", lines)
print "the end"
