import Diagnostics
import Foundation
import Kernels
import LuaHost
import Pipeline
import Scripting
import Testing

/// Every number that a script can give to anything, far out of range: an error or a result, never a trap.
///
/// The functions, their parameters and options are those of the annotations for editors, so what is added is tried.
@Suite(.serialized) struct ExtremeNumberTests {
  private static let values = [
    "math.maxinteger", "math.mininteger", "math.maxinteger - 1", "1 << 53", "2.0 ^ 53", "1 << 32", "65536", "-1", "0",
    "-0.0", "1e308", "-1e308", "1e-320", "0 / 0", "1 / 0", "-1 / 0", "0.3",
  ]

  private struct Vocabulary {
    /// By class, the fields and their types.
    var fields: [String: [(name: String, type: String)]] = [:]
    var functions: [(name: String, parameters: [(name: String, type: String)])] = []

    init(_ text: String) {
      var current = "", parameters: [(String, String)] = []
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if let match = line.wholeMatch(of: /---@class (\w+)/) {
          current = String(match.1)
          fields[current] = []
        } else if let match = line.prefixMatch(of: /---@field (\w+\??) (.+?)(?: #.*)?$/) {
          fields[current]?.append((String(match.1), String(match.2)))
        } else if let match = line.prefixMatch(of: /---@param ([\w.]+\??) (.+)$/) {
          parameters.append((String(match.1), String(match.2)))
        } else if let match = line.prefixMatch(of: /function ([\w.:]+)\(/) {
          functions.append((String(match.1), parameters))
          parameters = []
        }
      }
    }

    /// Whether numbers belong there; how many in a list.
    static func lists(_ type: String) -> [Int?] {
      let parts = type.split(separator: "|").map(String.init)
      return (parts.contains { $0 == "integer" || $0 == "number" } ? [nil] : [])
        + (parts.contains { $0 == "integer[]" || $0 == "number[]" } ? [1, 2, 3, 4] : [])
    }
  }

  /// Something of a type that is in range, as Lua; nil when nothing is known.
  private static func plain(_ type: String, named name: String, _ vocabulary: Vocabulary) -> String? {
    let base = type.split(separator: "|").first.map(String.init) ?? type
    switch (base, name.filter { $0 != "?" }) {
    case (_, "input"): return "{ 8, 8, 1 }"
    case (_, "before"), (_, "after"): return "{ 1, 1, 0 }"
    case (_, "shape"): return "{ 2, 3 }"
    case (_, "strategy"): return "use \"global_magnitude\""
    case (_, "recipe"): return "use \"int8\" { calibration = samples }"
    case (_, "mean"), (_, "std"): return "{ 0.5 }"
    case (_, "candidates"): return "{ { \"a\", model }, { \"b\", model } }"
    case ("integer", _): return "2"
    case ("number", _): return "0.5"
    case ("Model", _): return "model"
    case ("Data", _): return "samples"
    case ("Tensor", _): return "matrix"
    case ("integer[]", _), ("number[]", _): return "{ 1, 2 }"
    case ("boolean", _): return "true"
    default:
      guard let fields = vocabulary.fields[base] else { return nil }
      return table(fields.filter { !$0.name.hasSuffix("?") }, vocabulary)
    }
  }

  private static func table(_ fields: [(name: String, type: String)], _ vocabulary: Vocabulary) -> String? {
    var parts: [String] = []
    for field in fields {
      guard let value = plain(field.type, named: field.name, vocabulary) else { return nil }
      parts.append("\(field.name) = \(value)")
    }
    return "{ " + parts.joined(separator: ", ") + " }"
  }

  /// Calls as Lua expressions with `v` in one place.
  private static func calls(_ vocabulary: Vocabulary) -> [String] {
    var calls: [String] = []
    for (name, parameters) in vocabulary.functions {
      let pieces = name.split(separator: ":")
      // Objects of these classes are at hand under such names.
      let called =
        pieces.count == 2
        ? ["Tensor": "matrix", "Data": "samples", "Model": "model", "Session": "session"][pieces[0]]
          .map { "\($0):\(pieces[1])" }
        : name
      guard let called, name != "compare", name != "use", !name.hasPrefix("string."), name != "params" else { continue }
      let plain = parameters.map { Self.plain($0.type, named: $0.name, vocabulary) }
      func call(_ place: Int, _ text: String) {
        var arguments: [String] = []
        for (index, value) in plain.enumerated() {
          if index > place, parameters[index].name.hasSuffix("?") { break }
          guard let value = index == place ? text : value else { return }
          arguments.append(value)
        }
        calls.append("\(called)(\(arguments.joined(separator: ", ")))")
      }
      func number(_ count: Int?) -> String {
        count.map { "{ " + Array(repeating: "v", count: $0).joined(separator: ", ") + " }" } ?? "v"
      }
      for (place, parameter) in parameters.enumerated() {
        for count in Vocabulary.lists(parameter.type) { call(place, number(count)) }
        if parameter.name == "..." {
          call(place, "v")
          call(place, "v, v")
        }
        let schema = parameter.type.split(separator: "|").lazy.map(String.init).first { vocabulary.fields[$0] != nil }
        guard let schema, let fields = vocabulary.fields[schema] else { continue }
        let required = fields.filter { !$0.name.hasSuffix("?") }
        for field in fields {
          let name = field.name.filter { $0 != "?" }
          for count in Vocabulary.lists(field.type) {
            let rest = table(required.filter { $0.name != field.name }, vocabulary) ?? "{}"
            call(place, "with(\(rest), \"\(name)\", \(number(count)))")
            if schema == "PruneOptions", !["sparsity", "macs", "params", "bytes", "filters", "ratios"].contains(name) {
              call(place, "with({ sparsity = 0.5, train = { data = samples } }, \"\(name)\", \(number(count)))")
            }
          }
          // Tables within tables.
          if let inner = vocabulary.fields[field.type] {
            for option in inner {
              for count in Vocabulary.lists(option.type) {
                let filled = table(inner.filter { !$0.name.hasSuffix("?") }, vocabulary) ?? "{}"
                let name = option.name.filter { $0 != "?" }
                call(
                  place,
                  "with(\(table(required, vocabulary) ?? "{}"), \"\(field.name.filter { $0 != "?" })\", "
                    + "with(\(filled), \"\(name)\", \(number(count))))")
              }
            }
          }
        }
      }
    }
    return calls
  }

  /// Runs a call with every value: each in a script of its own from where a limit ended the one before.
  ///
  /// - Returns: how many of them were results, and how many errors.
  private static func tryAll(_ call: String, in folder: ScriptFolder, before: String, after: String) throws -> [Int] {
    var counts = [0, 0], first = 1
    while first <= values.count {
      try folder.write(
        "numbers.lua",
        """
        local samples = dataset("digits").train:take(6)
        \(before)
        local function with(all, name, value)
          all[name] = value
          return all
        end
        local values = { \(values.joined(separator: ", ")) }
        for index = \(first), \(values.count) do
          local v = values[index]
          print(index)
          local ok, result = pcall(function() return \(call) end)
          print(ok)
          \(after)
        end
        """)
      let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1)), store: nil)
      var options = ScriptSession.Options(script: folder.path + "/numbers.lua")
      options.plugins = [sourceRoot + "/plugins"]
      options.out = folder.path + "/out"
      options.limits = LuaLimits(memoryBytes: 64 << 20, instructions: 100_000_000, nativeBytes: 64 << 20, seconds: 60)
      let session = try ScriptSession(options, executor: executor) { line in
        if let index = Int(line) {
          first = index + 1
          // The last of them is what ended the process, if one does.
          if ProcessInfo.processInfo.environment["COMPRESS_TRACE"] != nil { print(values[index - 1], call) }
        } else {
          counts[line == "true" ? 0 : 1] += 1
        }
      }
      do {
        _ = try session.run()
        return counts
      } catch let error as CompressError {
        // A pcall catches all but limits.
        guard error.kind == .limit else { throw error }
        counts[1] += 1
      }
    }
    return counts
  }

  @Test func numbersOutOfRangeAreErrors() throws {
    let calls = Self.calls(Vocabulary(try EditorStubs.text())), folder = try ScriptFolder()
    var counts = [0, 0]
    for call in calls {
      let found = try Self.tryAll(
        call, in: folder,
        before: """
          local model = net.model {
            input = { 28, 28, 1 }, net.conv(2, 3), net.relu(), net.flatten(), net.dense(10), net.softmax(),
          }
          local matrix = tensor.normal({ 2, 3 }, 1)
          \(call.hasPrefix("session") ? "local session = compile(model)" : "")
          """,
        // Networks of the zoo are checked when they are recorded, and large to compute.
        after: call.hasPrefix("zoo.") ? "" : """
          local kind = ok and type(result) == "userdata" and tostring(result):match "^%a+"
          if kind == "Block" then
            ok, result = pcall(function() return net.model { input = { 8, 8, 1 }, result } end)
            if not ok then ok, result = pcall(function() return net.model { input = { 64 }, result } end) end
            kind = ok and "Model"
          end
          if kind == "Model" then
            -- What was asked for is computed, unless that is much.
            local isSmall = pcall(function() assert(result:cost().macs < 1e7) end)
            if isSmall then pcall(function() return compile(result) end) end
          elseif kind == "Data" then
            pcall(function() return result:batch(1, 1) end)
          end
          """)
      for i in 0...1 { counts[i] += found[i] }
    }
    print("\(calls.count) calls: \(counts[0]) results, \(counts[1]) errors")
    #expect(calls.count > 250 && counts[0] > 500 && counts[1] > 1000)
  }

  /// `use` names options that each plugin declares.
  @Test func numbersOutOfRangeAreErrorsOfPlugins() throws {
    let folder = try ScriptFolder()
    var tried = 0
    let files = try FileManager.default.subpathsOfDirectory(atPath: sourceRoot + "/plugins").sorted()
    for file in files where file.hasSuffix(".lua") && !file.hasPrefix("meta") {
      let text = try String(contentsOfFile: sourceRoot + "/plugins/" + file, encoding: .utf8)
      let name = String(file.split(separator: "/").last!.dropLast(4))
      guard let kind = text.firstMatch(of: /kind\s*=\s*"(\w+)"/)?.1 else { continue }
      for match in text.matches(of: /(\w+)\s*=\s*\{ type = "(?:integer|number|ratio|numbers)"/) {
        tried += 1
        let option = String(match.1)
        let calibration = text.contains("calibration = {") ? ", calibration = samples" : ""
        let used = "use \"\(name)\" { \(option) = v\(calibration) }"
        let work: String =
          switch kind {
          case "pruning": "prune(model, \(used), { sparsity = 0.5, samples = samples }):layers()"
          case "quantization": "quantize(model, \(used)):layers()"
          default: "train(model, { data = samples, learning_rate = \(used) }):layers()"
          }
        _ = try Self.tryAll(
          work, in: folder,
          before: """
            local model = net.model {
              input = { 28, 28, 1 }, net.conv(4, 3), net.relu(), net.flatten(), net.dense(10),
            }
            """, after: "")
      }
    }
    #expect(tried > 5)
  }

  /// The sizes named first when such numbers were tried.
  @Test(arguments: [
    "prune(model, use 'own' {}, { sparsity = 0.5 })",
    "net.model { input = { 8, 8, 1 }, net.average_pool({ 65536, 65536 }, { padding = 65535 }), net.flatten() }",
    "net.model { input = { 8, 8, 1 }, net.conv(1, 65536, { padding = 65535 }), net.flatten(), net.dense(2) }",
    "net.model { input = { 1024, 1024, 1 }, net.conv(2047, 1024), net.conv(2047, 1024), net.conv(2047, 1024) }",
  ])
  func sizesWhoseProductsOverflow(call: String) throws {
    let folder = try ScriptFolder()
    try folder.write(
      "own.lua",
      """
      return plugin {
        kind = "pruning", summary = "s", unit = { rows = 2, columns = math.maxinteger },
        score = function(layer) return layer.weight:abs() end,
      }
      """)
    let error = failure(
      """
      local model = net.model { input = { 8, 8, 1 }, net.flatten(), net.dense(10) }
      \(call.hasPrefix("net") ? "print(\(call))" : call + ":layers()")
      """, in: folder)
    #expect(error != nil)
  }
}
