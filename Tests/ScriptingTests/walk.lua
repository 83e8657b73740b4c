-- Calls every function that a script can reach with everything that does not fit it: the payload of SandboxWalkTests.
--
-- The host gives: walk_globals (what every script can read, by name), walk_members (the names of all methods and
-- properties), walk_class(object) (its class), walk_keys (names of options), walk_first (the number of the call to begin
-- with), walk_stride (of the planned calls each so manyeth is made), walk_random and walk_rounds (how many others),
-- walk_call(number, text) (told before each call), walk_found(name) (told of each function), walk_collect() (a full
-- collection, in the middle of whatever is going on) and walk_done(number).
--
-- A call's number decides its arguments, so that after a limit, which ends a script, the next script goes on where this
-- one was stopped.

local pack, unpack, type, tostring, pcall, select, ipairs, pairs, setmetatable, error, next, format =
  table.pack, table.unpack, type, tostring, pcall, select, ipairs, pairs, setmetatable, error, next, string.format
local floor = math.floor
local call_told, found_told, collect = walk_call, walk_found, walk_collect

-- Chance that a number decides.
local state = 1
local function seed(n) state = (n * 2654435761 + 97) % 2147483647 + 1 end
local function chance(n)
  state = state * 48271 % 2147483647
  return state % n + 1
end
local function pick(list) return list[chance(#list)] end

-- Objects of every class.
local frozen = params { walked = { 1 } }
local digits, second = dataset "digits", dataset "digits" -- two, so that evaluate needs to be told which
local samples = digits.train:take(6)
local small = zoo.lab_cnn { input = { 8, 8, 1 }, classes = 2 }
local net_model = net.model { input = { 4, 4, 1 }, net.flatten(), net.dense(10, { name = "d" }), net.softmax() }
local lab = zoo.lab_cnn()
local matrix = tensor.normal({ 3, 4 }, 1)
local session = compile(net_model)
local tiny = digits.train:take(4):with { resize = 4 }
local sensed = sensitivity(net_model, { strategy = use "global_magnitude", shares = { 0.5 }, data = tiny })

-- Once inside: what is being called, and how deep.
local current, depth = print, 0
local value
local function reenter(...)
  if depth < 2 then
    depth = depth + 1
    if chance(40) == 1 then collect() end
    pcall(current, ...)
    pcall(current, (value()), (value()), (value()))
    depth = depth - 1
  end
  return (value())
end
local function fail() error "hostile" end
local function fail_oddly() error(setmetatable({}, { __tostring = fail })) end
local function loop()
  for _ = 1, 2000 do end
  return reenter()
end

local events = {
  "__index", "__newindex", "__call", "__len", "__eq", "__lt", "__le", "__concat", "__add", "__sub", "__mul", "__div",
  "__mod",
  "__pow", "__unm", "__idiv", "__band", "__bor", "__bxor", "__shl", "__shr", "__bnot", "__close", "__tostring",
  "__pairs",
}
local function hostile(handler, name)
  local meta = { __name = name }
  for _, event in ipairs(events) do meta[event] = handler end
  return setmetatable({ 1, 2, 3 }, meta)
end
local function numbered(n) return function() return n end end
local endless = {}
endless[1], endless.data, endless.x = endless, endless, endless

-- What is handed over: what it is called, and how it is made.
local made = {
  { "nil", function() return nil end }, { "true", true }, { "false", false }, { "0", 0 }, { "-1", -1 }, { "1", 1 },
  { "2", 2 },
  { "3", 3 }, { "7", 7 }, { "1<<31", 1 << 31 }, { "1<<32", 1 << 32 }, { "1<<62", 1 << 62 },
  { "maxinteger", math.maxinteger },
  { "mininteger", math.mininteger }, { "1094795585", 1094795585 }, { "0.5", 0.5 }, { "-0.0", -0.0 }, { "nan", 0 / 0 },
  { "inf", 1 / 0 }, { "-inf", -1 / 0 }, { "1e308", 1e308 }, { "2^53", 2.0 ^ 53 }, { "1e-320", 1e-320 },
  { "''", "" }, { "'x'", "x" }, { "long", ("x"):rep(10000) }, { "zeros", "\0\0x\0" }, { "bytes", "\xff\xfe\xc0\x80" },
  { "accents", "e" .. ("\u{301}"):rep(50) }, { "escape", "\27[31m\r\n" }, { "pattern", "(.-)*%f[%w]()" }, { "'%'",
  "%" },
  { "'['", "[" }, { "'%b()'", "%b()" }, { "formats", "%5s%p%q%d%a%99.99f%i%c%%" }, { "packing",
  "!16 i16 z s8 j n x Xi8" },
  { "up", "../\u{301}x" }, { "file", "m.cmpr" }, { "digits", "9223372036854775808" }, { "adam", "adam" }, { "float16",
  "float16" },
  { "int64", "int64" }, { "linear", "linear" }, { "__index", "__index" },
  { "{}", function()
    return {} end }, { "{1,2,3}", function() return { 1, 2, 3 } end }, { "{2,2}", function() return { 2, 2 }
  end },
  { "{max,max}", function() return { math.maxinteger, math.maxinteger } end },
  { "{min,-1}", function()
    return { math.mininteger, -1 } end }, { "{1<<20,1<<20}", function() return { 1 << 20, 1 << 20 }
  end },
  { "{nan,inf}", function() return { 0 / 0, 1 / 0, 1e308 } end }, { "{0,3}", function() return { 0, 3 } end },
  { "{'a',m}", function() return { { "a", net_model }, { "b", small } } end },
  { "sparse", function() return { [1] = 1, [3] = 3, [1 << 40] = 2, [-1] = 0, [0.5] = 1, [true] = 2, x = 1 } end },
  { "itself", endless }, { "keyed by objects", function() return { [matrix] = 1, [samples] = 2, [print] = 3 } end },
  { "nested", function() local t = {} for _ = 1, 100 do t = { t, x = t } end return t end },
  { "failing", function()
    return hostile(fail, "failing") end }, { "failing oddly", function() return hostile(fail_oddly, 7)
  end },
  { "entering", function()
    return hostile(reenter, "a\0b") end }, { "looping", function() return hostile(loop, ("n"):rep(1000))
  end },
  { "maximal", function() return hostile(numbered(math.maxinteger), {}) end },
  { "minimal", function() return hostile(numbered(math.mininteger)) end },
  { "fractional", function()
    return hostile(numbered(0.5)) end }, { "textual", function() return hostile(numbered "x")
  end },
  { "tabular", function()
    return hostile(numbered(endless)) end }, { "silent", function() return hostile(function() end)
  end },
  { "objective", function() return hostile(numbered(matrix)) end },
  { "index is Tensor", function()
    return setmetatable({}, { __index = matrix, __newindex = matrix, __call = matrix })
  end },
  { "index is itself", function() local t = {} t.__index = t return setmetatable(t, t) end },
  { "index is frozen", function() return setmetatable({}, { __index = string, __newindex = string }) end },
  { "weak", function() return setmetatable({ {}, {}, x = {} }, { __mode = "kv" }) end },
  { "locked", function() return setmetatable({ 1 }, { __metatable = "locked" }) end },
  { "metatable is itself", function() local t = {} return setmetatable(t, t) end },
  { "paired", function() return setmetatable({ 1, 2 }, { __pairs = function(t) return reenter, t, nil end }) end },
  { "a record", function()
    local all = {}
    for _ = 1, chance(4) do all[pick(walk_keys)] = (value()) end
    if chance(2) == 1 then all.data = samples end
    return all
  end },
  { "a list", function()
    local all = {}
    for i = 1, chance(5) do all[i] = (value()) end
    return all
  end },
  { "entering function", function() return reenter end }, { "failing function", function() return fail end },
  { "odd failing function", function()
    return fail_oddly end }, { "silent function", function() return function() end
  end },
  { "number function", function() return numbered(0.5) end }, { "print", function() return print end },
  { "pcall", function()
    return pcall end }, { "error", function() return error end }, { "next", function() return next
  end },
  { "itself called", function() return current end }, { "around itself", function()
    local inner = current
    return function(...) return inner(...) end
  end },
  { "pairs' iterator", function() return (pairs { 1, 2, x = 3 }) end }, { "a used iterator", function()
    local step = pairs {}
    step {}
    return step
  end },
  { "gmatch's iterator", function()
    return ("abc"):gmatch "." end }, { "ipairs' iterator", function() return (ipairs {})
  end },
  { "utf8.codes' iterator", function() return (utf8.codes "abc") end },
  { "string", function()
    return string end }, { "math", function() return math end }, { "zoo", function() return zoo
  end },
  { "_G", function() return _G end }, { "params", frozen },
  { "Dataset", digits }, { "Data", samples }, { "no Data", digits.train:take(0) }, { "Model", small },
  { "own Model", net_model },
  { "Session", session }, { "Block", function() return net.relu() end },
  { "named Block", function() return net.conv(2, 3, { name = "c" }) end },
  { "Layer", function() return net_model:layers()[1] end }, { "Sensitivity", sensed },
  { "Plugin", use "global_magnitude" }, { "BoundPlugin", use "linear" { to = 1 } },
  { "int8", use "int8" { calibration = samples } },
  { "own BoundPlugin", function() return use "walk_schedule" { f = reenter } end },
  { "Tensor", matrix }, { "{1,2,3} Tensor", tensor.of { 1, 2, 3 } }, { "no Tensor", tensor.zeros { 0, 3 } },
  { "NaN Tensor", tensor.full({ 2, 3, 4 }, 0 / 0) }, { "truth Tensor", matrix:gt(0) },
  { "half Tensor", matrix:to "float16" },
  { "bfloat16 Tensor", matrix:to "bfloat16" }, { "int8 Tensor", matrix:to "int8" },
  { "int64 Tensor", tensor.of { 1, 2, 3 }:to "int64" },
  { "huge int64 Tensor", tensor.of { 1e30, -1e30, 0 / 0 }:to "int64" },
  { "view", tensor.ones({ 3, 4, 5 }):transpose(3, 1, 2):slice(1, 2, 3) },
  { "scalar Tensor", tensor.of({ 5 }):select(1, 1) }, { "image", tensor.ones { 1, 4, 4, 1 } },
  { "wide", tensor.ones { 1000, 1 } },
}
local function make(entry)
  local content = entry[2]
  if type(content) == "function" then return content() end
  return content
end
local making = 0
function value()
  if making > 3 then return 1, "1" end
  making = making + 1
  local entry = pick(made)
  local result = make(entry)
  making = making - 1
  return result, entry[1]
end

-- Objects whose members are found by name.
local objects = {}
for _, entry in ipairs(made) do
  local object = make(entry)
  if type(object) == "userdata" then objects[#objects + 1] = object end
end

-- Every function by name: each once, whatever ways lead to it.
local functions, names, visited, receivers = {}, {}, {}, {}
local function note(name, f, receiver)
  if visited[f] then return end
  visited[f] = true
  functions[name] = f
  receivers[name] = receiver
  names[#names + 1] = name
  found_told(name)
end
local function walk(name, content, level)
  local kind = type(content)
  if kind == "function" then return note(name, content) end
  if kind ~= "table" or visited[content] or level > 4 then return end
  visited[content] = true
  for key, member in pairs(content) do walk(name .. "." .. tostring(key), member, level + 1) end
  local meta = getmetatable(content)
  if type(meta) == "table" then walk(name .. "()", meta, level + 1) end
end
for name, content in pairs(walk_globals) do walk(name, content, 1) end
walk("_G", _G, 1)
-- The environment holds this file's variables; it is not read-only.
local function walk_object(object)
  local kind = walk_class(object)
  for _, full in ipairs(walk_members) do
    local class, member = full:match "^(%w+)[.:]([%w_]+)$"
    local ok, content = pcall(function() return object[member] end)
    -- Other classes' members are asked for as well; they are told under their own names.
    if ok and class == kind then
      if type(content) == "function" then note(full, content, object) else found_told(full) end
    end
  end
end
for _, object in ipairs(objects) do walk_object(object) end
note("pairs()", (pairs { 1, 2, 3 }))
note("ipairs()", (ipairs {}))
note("gmatch()", (("abc"):gmatch "."))
note("utf8.codes()", (utf8.codes "abc"))

-- What only the engine gives: seen from inside its calls.
train(net_model, { data = tiny, batch = 2, on_step = function(moment) walk_object(moment) end }):layers()
local function inspected(layer)
  walk_object(layer)
  return layer.weight:abs()
end
prune(net_model, use "walk_needs" { f = inspected }, {
  schedule = function(t) return t / 2 end, every = 1, train = { data = tiny, batch = 2 }, samples = tiny,
}):layers()
table.sort(names)

-- Growing, instead of calling: each function that yields something new does so again and again, and all of it is kept.
-- walk_grow is 0 to look for such functions, which are told by walk_grows(number, text); else the number of the one to
-- grow, until it is refused or walk_late() says that there was time enough.
if walk_grow then
  local long, label = ("x"):rep(10000), ("x"):rep(4000)
  local numbers = {}
  for i = 1, 10000 do numbers[i] = i / 10000 end
  local wide = tensor.ones { 100, 100 }
  local sets = {
    {}, { 1 }, { 2, 3 }, { 0.5 }, { { 2, 2 } }, { { 100, 100 }, 1 }, { "x" }, { long }, { long, "x*" }, { numbers },
    { matrix }, { wide },
    { "int64" }, { wide, wide }, { matrix, matrix, matrix }, { samples }, { { resize = 16 } },
    { { flip = true, pad_crop = 1 } },
    { { 1, 2, 3 } }, { { 10000 } }, { "digits" }, { { input = { 8, 8, 1 }, classes = 2 } }, { 8, 3, { name = label } },
    { 3, { name = label } },
    { { name = label } }, { { net.relu(), net.relu(), name = label } },
    { { input = { 4 }, net.dense(100), net.dense(100, { name = label }) } },
    { net_model }, { net_model, { data = tiny } }, { net_model,
    { data = samples, learning_rate = function() return numbers and 1 end } },
    { net_model, use "global_magnitude", { sparsity = 0.5 } },
    { net_model, use "global_magnitude", { sparsity = 0.5, protect = { label, label, label } } },
    { net_model, use "float16" }, { net_model, net_model, { data = tiny } }, { net_model, { energy = 0.5 } },
    { net_model, tiny },
    { net_model, { strategy = use "global_magnitude", shares = { 0.5 }, data = tiny } }, { net_model,
    { { "a", net_model } }, { data = tiny, bytes = 1 } },
    { "global_magnitude" }, { { to = 1 } }, { { f = reenter } }, { { 1, 2, 3 }, {} }, { print, numbers }, { "(%w+)",
    "x" }, { long, ".", "%0%0" },
    { "%s%s%s", long, long, long }, { 100, 200 }, { setmetatable({}, { __tostring = function() return long end }) },
    { tensor.ones { 1, 4, 4, 1 } }, { { data = tiny } }, { numbers, 1, 5000 }, { "z", long },
  }
  local without = { error = true, compare = true, params = true, assert = true, print = true }
  local planned = 0
  for _, name in ipairs(names) do
    local kinds = 0
    for at, set in ipairs(sets) do
      planned = planned + 1
      local mine = walk_grow == planned
      if not without[name] and (mine or walk_grow == 0 and planned >= walk_first and kinds < 3) then
        local f, arguments = functions[name], {}
        if receivers[name] then arguments[1] = receivers[name] end
        local shift = #arguments
        for i = 1, 3 do arguments[shift + i] = set[i] end
        local count = shift + #set
        call_told(planned, name .. " with arguments " .. at)
        current, depth = f, 3
        local outcome = pack(pcall(f, unpack(arguments, 1, count)))
        local kind = type(outcome[2])
        local is_long = kind == "string" and #outcome[2] > 100
        local yields = outcome[1] and (kind == "userdata" or kind == "table" or kind == "function" or is_long)
        if yields then
          kinds = kinds + 1
          if walk_grow == 0 then walk_grows(planned, name .. " with arguments " .. at) end
        end
        if mine and yields then
          local all, size = {}, 0
          while not walk_late() do
            for _ = 1, 8 do
              size = size + 1
              all[size] = pack(f(unpack(arguments, 1, count)))
            end
          end
          -- And in a chain, where what comes out goes in again.
          local x = arguments[1]
          if type(x) == "userdata" and kind == "userdata" then
            while not walk_late() do
              x = f(x, unpack(arguments, 2, count))
              size = size + 1
              all[size] = x
            end
          end
        end
      end
    end
  end
  return walk_done(planned)
end

-- Calls, by a plan: each value at each place of each function.
local function describe(name, arguments, labels)
  local shown = {}
  for i = 1, arguments.n do shown[i] = labels[i] end
  return name .. "(" .. table.concat(shown, ", ") .. ")"
end

local number, first = 0, walk_first
-- Functions that are handed out by calls, each kind tried a few times.
local tried, opened = {}, {}
local function calling(name, f, arguments, labels)
  call_told(number, describe(name, arguments, labels))
  current, depth = f, 0
  local outcome = pack(pcall(f, unpack(arguments, 1, arguments.n)))
  depth = 3
  return outcome
end

--- Functions among the results are called as well, on what made them and on anything.
local function follow(name, outcome, level)
  if not outcome[1] then return end
  for i = 2, math.min(outcome.n, 4) do
    local result = outcome[i]
    local kind = type(result)
    if kind == "function" and not visited[result] and level < 3 then
      local path = name .. "()"
      tried[path] = (tried[path] or 0) + 1
      if tried[path] == 1 then found_told(path) end
      if tried[path] <= 12 then
        for _ = 1, 6 do
          local a, la = value()
          local b, lb = value()
          follow(path, calling(path, result, { a, b, n = chance(3) - 1 }, { la, lb }), level + 1)
        end
      end
    elseif kind == "userdata" and level < 2 then
      -- An operator and a member of what came out, whatever it is. Models stay out: computing takes time.
      opened[name] = (opened[name] or 0) + 1
      if opened[name] <= 8 then
        call_told(number, name .. "() as text and operand")
        pcall(tostring, result)
        pcall(function() return result == matrix, result .. "x" end)
        pcall(function() return #result + 1 end)
        pcall(function() return result < result end)
        pcall(function() result.x = 1 end)
      end
    end
  end
end

local places = 4
local plain = { { "1", 1 }, { "2", 2 }, { "{2,2}", { 2, 2 } }, { "'x'", "x" }, { "Tensor", matrix },
{ "Data", samples },
  { "{data}", { data = samples } }, { "Model", net_model }, { "function", reenter } }
local function argument(name, place, at, entry)
  if at == place then return make(entry), entry[1] end
  if place == 1 and receivers[name] then return receivers[name], "object" end
  local other = pick(plain)
  return other[2], other[1]
end

for _, name in ipairs(names) do
  local f = functions[name]
  for at = 1, places do
    for _, entry in ipairs(made) do
      number = number + 1
      if number >= first and (number + number // #made) % walk_stride == 0 then
        seed(number)
        local arguments, labels = { n = at + chance(2) - 1 }, {}
        for place = 1, arguments.n do arguments[place], labels[place] = argument(name, place, at, entry) end
        follow(name, calling(name, f, arguments, labels), 1)
      end
    end
  end
end

-- More of them, all arguments at random.
local names_count = #names
for _ = 1, walk_random do
  number = number + 1
  if number >= first then
    seed(number)
    local name = names[chance(names_count)]
    local arguments, labels = { n = chance(5) - 1 }, {}
    for place = 1, arguments.n do
      if place == 1 and receivers[name] and chance(4) > 1 then
        arguments[1], labels[1] = receivers[name], "object"
      else
        arguments[place], labels[place] = value()
      end
    end
    follow(name, calling(name, functions[name], arguments, labels), 1)
  end
end

-- Operators, and what the language itself does with a value.
local operators = {
  add = function(a, b) return a + b end, sub = function(a, b) return a - b end, mul = function(a, b) return a * b end,
  div = function(a, b) return a / b end, mod = function(a, b) return a % b end, pow = function(a, b) return a ^ b end,
  idiv = function(a, b) return a // b end, band = function(a, b) return a & b end,
  shl = function(a, b) return a << b end,
  concat = function(a, b) return a .. b end, eq = function(a, b) return a == b end,
  lt = function(a, b) return a < b end,
  le = function(a, b) return a <= b end, unm = function(a) return -a end, bnot = function(a) return ~a end,
  len = function(a) return #a end, index = function(a, b) return a[b] end, newindex = function(a, b) a[b] = b end,
  call = function(a, b) return a(b, a) end, text = function(a) return tostring(a) end,
  close = function(a) local x <close> = a return 1 end, visit = function(a, b) for x in a, b do return x end end,
  visit_pairs = function(a) for k, v in pairs(a) do return k, v end end,
  vararg = function(a, b) return select("#", a, b) end,
  count = function(a, b) for i = a, b, a do return i end end,
}
local operator_names = {}
for name in pairs(operators) do operator_names[#operator_names + 1] = name end
local steps = {}
-- Objects with everything; the rest, which Lua itself looks after, in part.
for i, entry in ipairs(made) do steps[i] = type(make(entry)) == "userdata" and walk_stride or 5 * walk_stride end
for _, name in ipairs(operator_names) do
  local f = operators[name]
  for left, a in ipairs(made) do
    for right = 1, #made do
      number = number + 1
      if number >= first and (number + left) % steps[left] == 0 then
        seed(number)
        local b = made[right]
        follow(name, calling("operator " .. name, f, { make(a), make(b), n = 2 }, { a[1], b[1] }), 1)
      end
    end
  end
end

-- Inside of what the engine and the libraries are doing: calls of anything from callbacks.
local function anything()
  local name = names[chance(names_count)]
  local object = receivers[name]
  local arguments, labels = { object or (value()), (value()), (value()), n = chance(4) - 1 },
  { object and "object" or "any", "any", "any" }
  number = number + 1
  local outcome = calling(name, functions[name], arguments, labels)
  return outcome[2]
end
local function anything_or(...)
  local got = anything()
  if chance(3) == 1 then return got end
  return ...
end
local inside = {
  { "sort", function() table.sort({ 3, 1, 2, 5, 4, 9 }, function(a, b) anything() return a < b end) end },
  { "sort changed", function()
    local t = { 3, 1, 2, 5, 4, 9 } table.sort(t, function(a, b) t[chance(9)] = nil return anything_or(a < b) end)
  end },
  { "sort itself", function()
    local t = { 3, 1, 2 } table.sort(t, function(a, b) if chance(3) == 1 then table.sort(t) end return a < b end)
  end },
  { "gsub", function() return ("abcabc"):gsub("(.)(.)", function(...) return anything_or(...) end) end },
  { "gsub table", function()
    return ("abc"):gsub(".", setmetatable({}, { __index = function() return anything_or "x" end }))
  end },
  { "gsub nested", function()
    return ("abc"):gsub(".", function(c) return (c:rep(9):gsub(".", function() return anything_or "y" end)) end)
  end },
  { "gmatch others", function()
    local step = ("abc abc"):gmatch "%w+" for _ = 1, 9 do anything() step((value())) end
  end },
  { "gmatch collected", function() local step = ("abc"):rep(99):gmatch "." for _ = 1, 20 do collect() step() end end },
  { "pairs changed", function()
    local t = { 1, 2, 3, x = 1, y = 2 } for k in pairs(t) do t[k] = nil t[chance(99)] = 1 anything() end
  end },
  { "pairs of others", function()
    local step, t = pairs { 1, 2, 3, x = 4 } for _ = 1, 9 do step((value())) step(t) step() end
  end },
  { "pairs collected", function()
    local step = pairs { {}, {}, x = {} } collect() for _ = 1, 9 do step { 1 } collect() end
  end },
  { "pairs of frozen", function()
    for _, t in ipairs { string, math, zoo, frozen, _G } do
      local step = pairs(t)
      for _ = 1, 9 do step(t) step {} end
    end
  end },
  { "next changed", function()
    local t = { a = 1, b = 2, c = 3 } for k in next, t do t[k] = nil collect() next(t, (value())) end
  end },
  { "concat", function()
    return table.concat(setmetatable({}, { __index = function() return anything_or "x" end, __len = numbered(9) }))
  end },
  { "unpack", function()
    return unpack(setmetatable({}, { __index = anything, __len = function() return anything_or(9) end }))
  end },
  { "insert", function()
    local meta = { __len = function() return anything_or(5) end, __index = anything, __newindex = anything }
    table.insert(setmetatable({ 1 }, meta), 1, 2)
  end },
  { "remove", function()
    local meta = { __len = function() return anything_or(5) end, __index = anything, __newindex = anything }
    return table.remove(setmetatable({}, meta), 1)
  end },
  { "move", function()
    local t = setmetatable({}, { __index = anything, __newindex = anything })
    table.move(t, 1, 9, 3)
    table.move(t, 1, 9, 2, t)
  end },
  { "format", function()
    return format("%s %10s %q", setmetatable({}, { __tostring = function() return anything_or "x" end }), "x", 1)
  end },
  { "tostring", function()
    return tostring(setmetatable({}, { __tostring = function() return anything_or "x" end, __name = (value()) }))
  end },
  { "print", function()
    local named = setmetatable({}, { __name = (value()) })
    print(setmetatable({}, { __tostring = function() return anything_or "x" end }), named)
  end },
  { "xpcall", function() return xpcall(fail, function(...) anything() return ... end) end },
  { "xpcall failing", function() return xpcall(fail, fail) end },
  { "close", function()
    local a <close> = setmetatable({}, { __close = anything })
    local b <close> = setmetatable({}, { __close = fail })
    error(a)
  end },
  { "deep", function() local function f(n) if n > 0 then return pcall(f, n - 1) end return anything() end f(150) end },
  { "unbounded", function() local function f() return pcall(f) or anything() end f() end },
  { "overflow", function() local function f() return 1 + f() end f() end },
  { "overflow in tostring", function()
    local t t = setmetatable({}, { __tostring = function() return tostring(t) end }) tostring(t)
  end },
  { "overflow in index", function()
    local t t = setmetatable({}, { __index = function(_, k) return t[k] end }) return t.x
  end },
  { "overflow in gsub", function() local function f(c) return (c:gsub(".", f)) end f "x" end },
  { "overflow in sort", function() local function f() table.sort({ 2, 1 }, f) end f() end },
  { "overflow in pairs", function()
    local t t = setmetatable({}, { __pairs = function() return pairs(t) end }) pairs(t)
  end },
  { "overflow in a schedule", function()
    local p p = use "walk_schedule" { f = function(t) return p(t) end } return p(0.5)
  end },
  { "many values", function()
    return select("#", unpack(setmetatable({}, { __index = function() return 1 end }), 1, 200000))
  end },
  { "many values to the host", function()
    pcall(tensor.of, unpack({}, 1, 100000)) return matrix:at(unpack({}, 1, 200000))
  end },
  { "schedule", function()
    train(net_model, { data = tiny, batch = 2, learning_rate = function() return anything_or(1e-3) end }):layers()
  end },
  { "on_step", function()
    local function step(m)
      walk_object(m)
      return anything_or(nil)
    end
    train(net_model, { data = tiny, batch = 2, on_step = step }):layers()
  end },
  { "on_epoch", function()
    train(net_model, { data = tiny, batch = 2, on_epoch = function() return anything_or { stop = true } end }):layers()
  end },
  { "schedule plugin", function()
    return use "walk_schedule" { f = function() return anything_or(0.5) end }:at(0.5)
  end },
  { "pruning plugin", function()
    local p = use "walk_pruning" { f = function(layer)
      walk_object(layer)
      return anything_or(layer.weight:abs())
    end }
    prune(net_model, p, { sparsity = 0.5 }):layers()
    prune(net_model, p,
    { schedule = function() return anything_or(0.5) end, every = 1, train = { data = tiny, batch = 2 } }):layers()
  end },
  { "needs of a plugin", function()
    local function inspect(layer, gathered)
      walk_object(layer)
      return anything_or(gathered or layer.weight:abs())
    end
    prune(net_model, use "walk_needs" { f = inspect },
    { sparsity = 0.5, train = { data = tiny, batch = 2 }, samples = tiny }):layers()
  end },
  { "quantization plugin", function()
    local function assign() return anything_or { weights = { bits = 8 } } end
    quantize(net_model, use "walk_quantization" { f = assign }):layers()
  end },
}
local results = {}
for round = 1, walk_rounds do
  for _, entry in ipairs(inside) do
    number = number + 1
    if number >= first then
      seed(number)
      call_told(number, "inside " .. entry[1])
      current, depth = entry[2], 0
      results[entry[1]] = pcall(entry[2])
    end
    -- Calls from inside count on; the next entry has a number of its own in any case.
    number = floor(number / 1000 + 1) * 1000
  end
end
walk_done(number)
