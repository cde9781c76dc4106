-- Small programs: cells, queens, shortest paths, numerics, big integers, a stack machine, a matcher of expressions.
local function life(rows, steps)
  local h, w = #rows, #rows[1]
  local function alive(y, x)
    y, x = (y - 1) % h + 1, (x - 1) % w + 1
    return rows[y]:sub(x, x) == "#"
  end
  for _ = 1, steps do
    local new = {}
    for y = 1, h do
      local line = {}
      for x = 1, w do
        local n = 0
        for dy = -1, 1 do for dx = -1, 1 do
          if (dy ~= 0 or dx ~= 0) and alive(y + dy, x + dx) then n = n + 1 end
        end end
        line[x] = (n == 3 or n == 2 and alive(y, x)) and "#" or "."
      end
      new[y] = table.concat(line)
    end
    rows = new
  end
  return table.concat(rows, "\n")
end
print(life({ ".#......", "..#.....", "###.....", "........", "........", "........" }, 11))

local function queens(n)
  local columns, up, down, count = {}, {}, {}, 0
  local function place(row)
    if row > n then count = count + 1; return end
    for c = 1, n do
      if not (columns[c] or up[row + c] or down[row - c + n]) then
        columns[c], up[row + c], down[row - c + n] = true, true, true
        place(row + 1)
        columns[c], up[row + c], down[row - c + n] = nil, nil, nil
      end
    end
  end
  place(1)
  return count
end
print("queens", queens(4), queens(6), queens(8))

-- a binary heap, and shortest paths on a grid
local Heap = {}
Heap.__index = Heap
function Heap.new(less) return setmetatable({ less = less, n = 0 }, Heap) end
function Heap:push(v)
  self.n = self.n + 1
  self[self.n] = v
  local i = self.n
  while i > 1 and self.less(self[i], self[i // 2]) do
    self[i], self[i // 2] = self[i // 2], self[i]
    i = i // 2
  end
end
function Heap:pop()
  local top = self[1]
  self[1], self[self.n] = self[self.n], nil
  self.n = self.n - 1
  local i = 1
  while true do
    local c = 2 * i
    if c > self.n then break end
    if c < self.n and self.less(self[c + 1], self[c]) then c = c + 1 end
    if not self.less(self[c], self[i]) then break end
    self[c], self[i] = self[i], self[c]
    i = c
  end
  return top
end
local seed = 12345
local function random(n)
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return (seed >> 8) % n
end
local size, cost, dist = 40, {}, {}
for i = 0, size * size - 1 do cost[i] = 1 + random(9); dist[i] = math.huge end
local heap = Heap.new(function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
dist[0] = 0
heap:push { 0, 0 }
while heap.n > 0 do
  local d, at = table.unpack(heap:pop())
  if d == dist[at] then
    local x, y = at % size, at // size
    for _, s in ipairs { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } } do
      local nx, ny = x + s[1], y + s[2]
      if nx >= 0 and ny >= 0 and nx < size and ny < size then
        local to = ny * size + nx
        if d + cost[to] < dist[to] then dist[to] = d + cost[to]; heap:push { dist[to], to } end
      end
    end
  end
end
print("shortest", dist[size * size - 1], dist[size - 1])

-- numerics: spectral norm, three bodies, digits of pi
local function norm(n)
  local function A(i, j) local ij = i + j - 1; return 1.0 / (ij * (ij - 1) * 0.5 + i) end
  local function times(v, transposed)
    local r = {}
    for i = 1, n do
      local s = 0
      for j = 1, n do s = s + (transposed and A(j, i) or A(i, j)) * v[j] end
      r[i] = s
    end
    return r
  end
  local u, v = {}, nil
  for i = 1, n do u[i] = 1 end
  for _ = 1, 6 do v = times(times(u), true); u = times(times(v), true) end
  local vBv, vv = 0, 0
  for i = 1, n do vBv = vBv + u[i] * v[i]; vv = vv + v[i] * v[i] end
  return math.sqrt(vBv / vv)
end
print(("norm %.9f"):format(norm(60)))
local bodies = { { x = 0, y = 0, vx = 0, vy = 0, m = 39.5 }, { x = 4.84, y = -1.16, vx = 0.6, vy = 2.81, m = 0.0377 },
  { x = 8.34, y = 4.12, vx = -1.01, vy = 1.82, m = 0.0113 } }
for _ = 1, 2000 do
  for i, a in ipairs(bodies) do
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy = a.x - b.x, a.y - b.y
      local f = 0.01 / (dx * dx + dy * dy) ^ 1.5
      a.vx, a.vy, b.vx, b.vy = a.vx - dx * b.m * f, a.vy - dy * b.m * f, b.vx + dx * a.m * f, b.vy + dy * a.m * f
    end
  end
  for _, b in ipairs(bodies) do b.x, b.y = b.x + 0.01 * b.vx, b.y + 0.01 * b.vy end
end
for _, b in ipairs(bodies) do print(("%.8f %.8f"):format(b.x, b.y)) end
local function pi(digits)
  local length, out, nines, before, a = digits * 10 // 3 + 1, {}, 0, 0, {}
  for i = 1, length do a[i] = 2 end
  for _ = 1, digits do
    local q = 0
    for i = length, 1, -1 do
      local x = 10 * a[i] + q * i
      a[i], q = x % (2 * i - 1), x // (2 * i - 1)
    end
    a[1], q = q % 10, q // 10
    if q == 9 then
      nines = nines + 1
    else
      out[#out + 1] = before + q // 10
      for _ = 1, nines do out[#out + 1] = q == 10 and 0 or 9 end
      before, nines = q % 10, 0
    end
  end
  return table.concat(out)
end
print(pi(60))

-- big integers
local function times(a, k)
  local r, carry = {}, 0
  for i = 1, #a do local v = a[i] * k + carry; r[i] = v % 10000000; carry = v // 10000000 end
  while carry > 0 do r[#r + 1] = carry % 10000000; carry = carry // 10000000 end
  return r
end
local f = { 1 }
for k = 2, 60 do f = times(f, k) end
local shown = { tostring(f[#f]) }
for i = #f - 1, 1, -1 do shown[#shown + 1] = ("%07d"):format(f[i]) end
print("60! = " .. table.concat(shown))

-- a stack machine in a table of closures, and a program for it
local machine = {
  push = function(m, v) m[#m + 1] = v end,
  add = function(m) local b = table.remove(m); m[#m] = m[#m] + b end,
  mul = function(m) local b = table.remove(m); m[#m] = m[#m] * b end,
  dup = function(m) m[#m + 1] = m[#m] end,
  swap = function(m) m[#m], m[#m - 1] = m[#m - 1], m[#m] end,
  over = function(m) m[#m + 1] = m[#m - 1] end,
  jumpIf = function(m, to) if table.remove(m) ~= 0 then m.pc = to end end,
}
local function run(program)
  local m, steps = { pc = 1 }, 0
  while program[m.pc] do
    local op = program[m.pc]
    m.pc, steps = m.pc + 1, steps + 1
    machine[op[1]](m, op[2])
  end
  return m[1], m[2], steps
end
print("machine", run { { "push", 1 }, { "push", 20 }, { "swap" }, { "over" }, { "mul" }, { "swap" }, { "push", -1 }, { "add" }, { "dup" }, { "jumpIf", 3 } })

-- a matcher of regular expressions: continuations and backtracking
local function compile(re)
  local at = 1
  local alternation
  local function atom()
    local c = re:sub(at, at)
    at = at + 1
    if c == "(" then local n = alternation(); at = at + 1; return n end
    return function(s, i, k) return i <= #s and (c == "." or s:sub(i, i) == c) and k(i + 1) end
  end
  local function repeated()
    local n = atom()
    local c = re:sub(at, at)
    if c == "*" then
      at = at + 1
      local function loop(s, i, k) return n(s, i, function(j) return j > i and loop(s, j, k) end) or k(i) end
      return loop
    elseif c == "?" then
      at = at + 1
      return function(s, i, k) return n(s, i, k) or k(i) end
    end
    return n
  end
  local function sequence()
    local n = function(_, i, k) return k(i) end
    while at <= #re and not re:find("^[|)]", at) do
      local first, second = n, repeated()
      n = function(s, i, k) return first(s, i, function(j) return second(s, j, k) end) end
    end
    return n
  end
  function alternation()
    local n = sequence()
    while re:sub(at, at) == "|" do
      at = at + 1
      local first, second = n, sequence()
      n = function(s, i, k) return first(s, i, k) or second(s, i, k) end
    end
    return n
  end
  local n = alternation()
  return function(s) return n(s, 1, function(i) return i == #s + 1 end) and true or false end
end
for _, case in ipairs { { "a*b", "aaab" }, { "(ab|c)*d?", "abcabd" }, { "x.z|y", "xyz" }, { "(a*)*b", "aaaaaaaac" }, { "a?a?a?aaa", "aaa" } } do
  print(case[1], case[2], compile(case[1])(case[2]))
end

local words, chain = {}, {}
for w in ("the cat sat on the mat and the dog sat on the log and the cat saw the dog"):gmatch "%a+" do words[#words + 1] = w end
for i = 1, #words - 1 do chain[words[i]] = chain[words[i]] or {}; table.insert(chain[words[i]], words[i + 1]) end
local w, said = "the", {}
for _ = 1, 25 do
  said[#said + 1] = w
  local following = chain[w]
  if not following then break end
  w = following[random(#following) + 1]
end
print(table.concat(said, " "))
print "the end"
