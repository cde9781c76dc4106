-- The libraries for text, tables and bytes.
local text = "The quick brown fox, aged 7, jumps over 12 lazy dogs; (nested (brackets)) here: key=value, x = 42."
print(text:find("fox"), text:find("o", 20), text:find("(", 1, true), text:find("%d+"), text:find("^quick"), text:find("", 200))
print(text:match("(%w+)=(%w+)"), text:match("%b()"), text:match("()ove()r"), text:match("%f[%d]%d+%f[%D]", 30), text:match("(h(e)(r)e)"))
for k, v in text:gmatch("(%w+)%s*=%s*(%w+)") do io.write(k, "->", v, ";") end print()
for w in text:gmatch("%a+") do io.write(#w, " ") end print()
print(text:gsub("%w+", { fox = "cat", dogs = false, lazy = "busy" }))
print(text:gsub("(%a)(%a+)", function(a, b) if #b > 3 then return b .. a end end, 9))
print(text:gsub("%s+", "_", 3), ("abc"):gsub("", "-"), ("abc"):gsub(".", "%0%0"), ("hello world"):gsub("(o)( ?)", "%2[%1]"), ("x^y"):gsub("%^", "%%"))
for _, bad in ipairs { "%", "[a", "(", ")", "%b", "%f", "(()", "[%", "%1" } do print(bad, pcall(string.find, "a", bad)) end
print(pcall(string.gsub, "a", "a", "%2")); print(pcall(string.gsub, "x", ".", "%q"))

for _, case in ipairs {
  { "%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42 }, { "%x|%X|%#x|%o|%c", 255, 255, 255, 8, 65 },
  { "%e|%.3E|%g|%G|%a", 12345.6789, 0.00012, 1e20, 1e-10, 0.5 }, { "%10.4f|%-10.2f|%+.0f|%.14g|%i", math.pi, -math.pi, 2.5, 1 / 3, 9 },
  { "%s|%10s|%-10s|%.2s|%%", "text", "right", "left", "cut" }, { "%.20s|%5.1s|%-3c|", "long enough", "xyz", 90 } } do
  print(string.format(table.unpack(case)))
end
print(("%q %q %q %q"):format("line\nquote\" \0 \r end", 1 / 3, math.mininteger, true))
for _, case in ipairs { { "%d", 1.5 }, { "%d", "1.0" }, { "%y", 1 }, { "%s" }, { "%0100d", 1 }, { "%", 1 }, { "%c", "x" } } do print(pcall(string.format, table.unpack(case))) end
print(("%s %s"):format(setmetatable({}, { __tostring = function() return "custom" end }), nil), tostring(1e100), 2 ^ 63, -0.0, 1e15, 5 // 1, 5.0)
print(("abc"):rep(3, "-"), ("abc"):reverse(), ("MiXed"):lower(), ("MiXed"):upper(), ("abc"):byte(1, -1), string.char(72, 105))
print(("abc") < ("abd"), "Z" < "a", "a\0b" < "a\0c", ("x"):sub(2), ("hello"):sub(-3, -2), ("hello"):sub(0), #"\u{20AC}\x41\65\z
      joined")

local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
for _, case in ipairs { { "<i1i2i4i8", 1, -2, 3, -4 }, { ">I2I4I8", 1, 2, 3 }, { "=!4i1i4", -1, 7 }, { "<s1s2z", "a", "bc", "def" },
  { ">fdn", 1.5, -2.25, 1e100 }, { "<j<J<T", -1, 2, 3 }, { "!8 b Xi8 i8", 1, 2 }, { "<i3 >i5 =i16", -3, 4, -5 }, { "i1", 300 }, { "i17", 1 }, { "z", "a\0b" } } do
  local ok, packed = pcall(string.pack, table.unpack(case))
  print(case[1], ok, ok and hex(packed) or packed)
  if ok then print(string.unpack(case[1], packed)) end
end
print(string.packsize("<i4i8"), string.packsize("!8i4i8"), pcall(string.packsize, "s")); print(pcall(string.unpack, "i4", "abc"))

print(utf8.char(72, 228, 8364, 128512, 0x7fffffff):byte(1, -1))
for p, c in utf8.codes("aä€😀") do io.write(p, ":", c, " ") end
print(utf8.len("aä€😀"), utf8.len("\xff"), utf8.offset("aä€", 3), utf8.codepoint("aä€", 1, -1))
print(pcall(utf8.codepoint, "\xc3")); print(pcall(utf8.char, -1)); print(utf8.len("\u{D800}", 1, -1, true), utf8.len("\u{D800}"), ("aä€"):match(utf8.charpattern, 2))

local t = { 5, 2, 8, 1, 9, 3 }
table.sort(t); print(table.concat(t, " ")); table.sort(t, function(a, b) return a > b end); print(table.concat(t, ",", 2, 4))
table.insert(t, 3, "new"); print(table.remove(t, 1), table.remove(t), #t, table.concat(t, " "), table.remove({})); print(pcall(table.insert, t, 9, 1))
print(table.concat(table.move({ 1, 2, 3, 4, 5 }, 2, 5, 1), " "), table.concat(table.move({ 1, 2, 3 }, 1, 3, 3), " "), table.pack(nil, nil).n)
print(pcall(table.sort, { 3, 1, "x" })); print(pcall(table.sort, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, function() return true end))
local proxy = setmetatable({}, { __index = function(_, i) if i <= 5 then return i * i end end, __len = function() return 5 end })
print(table.concat(proxy, "+"), #proxy, table.unpack(proxy))

-- a tokenizer and an evaluator for a small language
local function tokens(source)
  local at, list = 1, {}
  local kinds = { { "space", "^%s+" }, { "number", "^%d+%.?%d*" }, { "name", "^[%a_][%w_]*" }, { "op", "^[-+*/^()=,]" } }
  while at <= #source do
    local kind, value
    for _, k in ipairs(kinds) do
      value = source:match(k[2], at)
      if value then kind = k[1]; break end
    end
    if not kind then error(("unexpected '%s' at %d"):format(source:sub(at, at), at), 0) end
    if kind ~= "space" then list[#list + 1] = { kind = kind, value = value } end
    at = at + #value
  end
  return list
end
local function evaluate(source, names)
  local list, at = tokens(source), 1
  local sum
  local function take(v) if list[at] and list[at].value == v then at = at + 1; return true end end
  local function atom()
    local token = list[at] or error("unexpected end", 0)
    at = at + 1
    if token.kind == "number" then return tonumber(token.value) end
    if token.value == "-" then return -atom() end
    if token.value == "(" then
      local v = sum()
      if not take ")" then error("expected ')'", 0) end
      return v
    end
    if token.kind ~= "name" then error("unexpected " .. token.value, 0) end
    if take "(" then local v = sum(); take ")"; return math[token.value](v) end
    return names[token.value] or error("unknown " .. token.value, 0)
  end
  local function power() local v = atom(); if take "^" then return v ^ power() end return v end
  local function product()
    local v = power()
    while true do if take "*" then v = v * power() elseif take "/" then v = v / power() else return v end end
  end
  function sum()
    local v = product()
    while true do if take "+" then v = v + product() elseif take "-" then v = v - product() else return v end end
  end
  local v = sum()
  if list[at] then error("left over: " .. list[at].value, 0) end
  return v
end
for _, source in ipairs { "1 + 2 * 3", "2 ^ 3 ^ 2", "-(4 - 6) / 4", "sqrt(x) * y", "1 +", "(1", "3 $ 4", "nothing", "1 2", "sin(0) + floor(3.7)" } do
  print(source, pcall(evaluate, source, { x = 16, y = 2.5 }))
end

-- a serializer and back, run lengths, base64
local function serialize(v, indent)
  if type(v) ~= "table" then return ("%q"):format(v) end
  local keys, out = {}, {}
  for k in pairs(v) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, k in ipairs(keys) do out[#out + 1] = indent .. "  [" .. serialize(k, "") .. "] = " .. serialize(v[k], indent .. "  ") end
  return "{\n" .. table.concat(out, ",\n") .. "\n" .. indent .. "}"
end
local tree = { 1, 2.5, "three", { nested = { deep = true, [10] = "ten" } }, ["with space"] = "a\nb\0c" }
local s = serialize(tree, ""); print(s); print(serialize(load("return " .. s)(), "") == s)
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function base64(data)
  return (data:gsub("..?.?", function(c)
    local n, out = (c:byte(1) << 16) | ((c:byte(2) or 0) << 8) | (c:byte(3) or 0), ""
    for i = 3, 0, -1 do
      local x = n >> (6 * i) & 63
      out = out .. ((3 - i) <= #c and letters:sub(x + 1, x + 1) or "=")
    end
    return out
  end))
end
print(base64("any carnal pleas"), base64("Man"), base64("M"))
print "the end"
