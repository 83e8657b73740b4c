import Diagnostics
import Foundation
import Kernels
import LuaHost
import Pipeline
import Scripting
import Tensors
import Testing

/// Calls everything a script can reach with everything that does not fit: wrong types, huge sizes, functions that call
/// back. A script may end in an error, never in a crash, never outside its limits.
@Suite struct FuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seeds = environment["COMPRESS_SOAK"] == nil ? 60 : 5_000

  /// COMPRESS_FUZZ_SEED=n repeats one seed, and prints each call before it is made.
  @Test func nothingAScriptCallsEndsTheProcess() throws {
    let single = Self.environment["COMPRESS_FUZZ_SEED"].flatMap { Int($0) }
    let folder = try ScriptFolder()
    try folder.write("fuzz.lua", Self.script)
    try folder.write("own.lua", "return plugin { kind = 'schedule', summary = 's', at = function(t) return t end }")
    var finished = 0, calls = 0, failed = 0
    for seed in single.map({ $0..<$0 + 1 }) ?? 0..<Self.seeds {
      let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1)), store: nil)
      var options = ScriptSession.Options(script: folder.path + "/fuzz.lua")
      options.plugins = [sourceRoot + "/plugins"]
      options.seed = UInt64(seed)
      options.settings = [("trace", single == nil ? "false" : "true")]
      options.out = folder.path + "/out"
      options.limits = LuaLimits(memoryBytes: 64 << 20, instructions: 20_000_000, nativeBytes: 64 << 20, seconds: 20)
      let session = try ScriptSession(options, executor: executor) { line in
        if line.hasPrefix("done ") {
          let numbers = line.split(separator: " ").compactMap { Int($0) }
          calls += numbers[0]
          failed += numbers[1]
          finished += 1
        } else if single != nil {
          print(line)
          fflush(nil)
        }
      }
      do { _ = try session.run() } catch let error as CompressError {
        // Every call is guarded by a pcall, which catches all but limits.
        #expect(error.kind == .limit, "seed \(seed): \(error)")
      }
    }
    print("\(calls) calls, \(failed) of them errors, in \(finished) scripts that came to their end")
    // The calls do reach what they are made for.
    if single == nil { #expect(finished > Self.seeds / 2 && failed < calls * 97 / 100) }
  }

  private static let methods: [String] =
    UnaryOperation.allCases.map(\.rawValue) + BinaryOperation.allCases.map(\.rawValue)
    + Reduction.allCases.map(\.rawValue)
    + LogicalOperation.allCases.map { "logical_\($0.rawValue)" } + [
      "minimum", "maximum", "logical_not", "clamp", "where", "to", "reshape", "transpose", "slice", "select", "at",
      "table",
      "kth_smallest", "sort", "matmul", "shape", "count", "rank", "dtype", "name", "classes", "take", "drop", "sample",
      "split", "with", "augment",
      "batch", "train", "test", "layers", "summary", "cost", "save", "run", "measure", "kind", "index", "weight",
      "bias", "macs",
      "parameters", "input_shape", "output_shape", "options", "close", "rep", "gsub", "find", "format", "byte",
    ]

  private static let script = """
    local p = params { trace = { false } }
    local data_library = data
    local digits, second = dataset "digits", dataset "digits"  -- two, so that evaluate needs to be told which
    local data = digits.train:take(6)
    local net = zoo.lab_cnn()
    local small = zoo.lab_cnn { input = { 4, 4, 1 }, classes = 2 }
    local t = tensor.normal({ 3, 4 }, 1)
    local pool = {
      digits, data, net, small, t, tensor.of { 1, 2, 3 }, tensor.zeros { 0, 3 }, tensor.full({ 2, 3, 4 }, 0 / 0), t:gt(0),
      tensor.ones({ 2, 2 }):to "float16", tensor.ones({ 3 }):to "int8", use "global_magnitude", use "linear" { to = 1 },
      use "int8" { calibration = data }, use "own", net:layers()[1], compile(net), data:take(0),
    }
    local methods = { \(methods.map { "\"\($0)\"" }.joined(separator: ", ")) }
    local keys = {
      "data", "epochs", "batch", "optimizer", "learning_rate", "momentum", "shuffle", "seed", "sparsity", "schedule", "train",
      "every", "ramp", "on", "images", "order", "warmup", "cooldown", "input", "classes", "calibration", "observer", "skip",
      "normalize", "scale", "resize", "channels", "mean", "std", "pad_crop", "flip", "cutout", "brightness", "size",
      "short_side", "broken", "labels", "labels_file",
      "from", "to", "power", "value", "min", "max", "help", "choices", "type", "default", "kind", "summary", "options", "at",
    }
    local functions = {}
    local function collect(library, prefix)
      for name, value in pairs(library) do
        if type(value) == "function" then functions[#functions + 1] = { prefix .. name, value } end
      end
    end
    for name, library in pairs { tensor = tensor, zoo = zoo, string = string, table = table, math = math, utf8 = utf8,
                            data = data_library } do
      collect(library, name .. ".")
    end
    collect({
      assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
      select = select, setmetatable = setmetatable, tonumber = tonumber, tostring = tostring, type = type, xpcall = xpcall,
      print = print, params = params, dataset = dataset, use = use, train = train, prune = prune, quantize = quantize,
      compare = compare, evaluate = evaluate, compile = compile, load_model = load_model, plugin = plugin,
    }, "")

    local depth, calls, failed = 0, 0, 0
    local random = math.random
    local function pick(list) return list[random(#list)] end
    local value, call
    local function reentrant(...)
      if depth < 3 then call() end
      return random(2) == 1 and value() or ...
    end
    local plain = {
      true, false, 0, -1, 1, 2, 3, 4, 10, 0.5, -0.0, 0 / 0, 1 / 0, -1 / 0, math.maxinteger, math.mininteger, 1 << 31, 1 << 32,
      1e300, 2.0 ^ 53, 1e-320, "", "x", "abc", ("x"):rep(10000), "\\0\\xff\\xfe", "adam", "sgd", "float16", "int8", "float32", "..",
      "/etc/passwd", "%b()", "(.-)*", "%", "[", "%5s%p%q", "own", "linear", "polynomial", "mnist", "model.cmpr", "random",
    }
    local function list()
      local all = {}
      for i = 1, random(0, 4) do all[i] = random(3) > 1 and random(-1, 4) or value() end
      return all
    end
    local function record()
      local all = {}
      for _ = 1, random(0, 4) do
        local content = value()
        all[pick(keys)] = content
      end
      if random(2) == 1 then all.data = data end
      return all
    end
    local odd = {
      function() return list() end, function() return list() end, function() return record() end, function() return record() end,
      function() local all = {} all[1] = all all.data = all return all end,
      function() return { 1 << 62, 1 << 62 } end, function() return { 1 << 20, 1 << 20 } end, function() return { 4096, 4096 } end,
      function() return setmetatable({}, { __index = reentrant, __len = function() return 1 << 40 end }) end,
      function() return setmetatable({}, { __index = function() error "index" end, __call = reentrant, __eq = reentrant, __lt = reentrant }) end,
      function() return setmetatable({}, { __tostring = reentrant, __name = "x", __concat = reentrant, __close = reentrant }) end,
      function() return reentrant end, function() return function() error(value()) end end, function() return print end,
      function() return error end, function() return nil end,
    }
    function value()
      depth = depth + 1
      local choice = depth > 6 and 1 or random(10)
      local result
      if choice < 4 then result = pick(plain) elseif choice < 8 then result = pick(pool) else result = pick(odd)() end
      depth = depth - 1
      return result
    end
    local operators = {
      function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end,
      function(a, b) return a / b end, function(a, b) return a ^ b end, function(a, b) return a % b end,
      function(a, b) return a // b end, function(a, b) return a | b end, function(a, b) return a << b end,
      function(a, b) return a .. b end, function(a, b) return a == b end, function(a, b) return a < b end,
      function(a, b) return a <= b end, function(a, b) return -a end, function(a, b) return ~a end, function(a, b) return #a end,
      function(a, b) return a[b] end, function(a, b) a[b] = b end, function(a, b) return a(b) end, function(a, b) return tostring(a) end,
      function(a, b) local x <close> = a return b end, function(a, b) for x in a do return x end end,
    }
    local function keep(ok, ...)
      if not ok then failed = failed + 1 end
      for i = 1, ok and math.min(select("#", ...), 3) or 0 do
        local result = select(i, ...)
        -- Models stay out: computing what was recorded with a million epochs would take that long.
        local kind = type(result) == "userdata" and tostring(result) or "Model"
        if not kind:find "^Model" and not kind:find "^Session" and #pool < 60 then pool[#pool + 1] = result end
      end
    end
    local function try(name, f, ...)
      calls = calls + 1
      if p.trace then
        local shown = {}
        for i = 1, select("#", ...) do
          local argument = select(i, ...)
          shown[i] = type(argument) == "table" and "table" or tostring(argument):sub(1, 40)
        end
        print(name .. "(" .. table.concat(shown, ", ") .. ")")
      end
      keep(pcall(f, ...))
    end
    function call()
      depth = depth + 1
      local arguments, count = {}, random(0, 4)
      for i = 1, count do arguments[i] = value() end
      local choice = random(10)
      if choice < 5 then
        local object, method = pick(pool), pick(methods)
        -- It reads files and digits by the thousand; once is enough.
        try(method, function(...) local member = object[method] if type(member) == "function" then return member(...) end return member end,
          random(10) == 1 and value() or object, table.unpack(arguments, 1, count))
      elseif choice < 9 then
        local f = pick(functions)
        try(f[1], f[2], table.unpack(arguments, 1, count))
      else
        local at = random(#operators)
        try("operator " .. at, operators[at], pick(pool), value())
      end
      depth = depth - 1
    end
    for _ = 1, 60 do call() end
    -- Callbacks in the middle of the engine's and the libraries' work.
    local function during() call() return random(4) > 1 and 1e-3 or value() end
    local function forced(f) return function() return f():layers() end end
    for _ = 1, 3 do
      try("train", forced(function() return train(net, { data = data, batch = 3, learning_rate = during }) end))
      try("prune", forced(function()
        return prune(net, use "global_magnitude", { schedule = during, every = 1, train = { data = data, batch = 2 } })
      end))
      try("sort", table.sort, { 3, 1, 2, 5, 4 }, function(a, b) call() return a < b end)
      try("gsub", string.gsub, "abc", ".", during)
      try("xpcall", xpcall, function() error(value()) end, during)
      try("concat", function() return tostring(setmetatable({}, { __tostring = during })) end)
      try("pairs", function() for k in pairs(setmetatable({}, { __pairs = function() return during end })) do return k end end)
    end
    print("done " .. calls .. " " .. failed)
    """
}
