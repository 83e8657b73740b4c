import Diagnostics
import LuaHost
import Reports

extension ScriptSession {
  /// `params { sparsity = { 0.8, min = 0, max = 1, help = "…" } }`: declared once, before any stage.
  func defineParams() {
    state.define(
      "params", "(declared: table<string, any>): table<string, any>",
      "Declares what --set changes, once and first: name = { default, min =, max =, choices =, help = }."
    ) { [unowned self] arguments in
      guard params == nil else { throw CompressError("params is declared once") }
      guard stages.isEmpty else { throw CompressError("params comes before the first stage") }
      let declared = try arguments.table(0)
      let values = try state.makeTable()
      var list: [(name: String, value: ParamValue)] = []
      var settings = Dictionary(options.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      for (key, value) in declared.pairs {
        guard let name = key.string else { throw CompressError("params are named: write name = { default }") }
        let param = try Param(name, declared: value, state)
        let chosen = try settings.removeValue(forKey: name).map(param.parse) ?? param.standard
        list.append((name, chosen))
        try values.set(name, chosen.lua)
      }
      if let unknown = settings.keys.min() {
        throw CompressError(
          "--set \(unknown.escapedForTerminal): there is no such param"
            + Suggestion.text(for: unknown, among: list.map(\.name)))
      }
      params = list
      values.freeze("params are read-only")
      return [.table(values)]
    }
  }
}

/// One declared parameter.
private struct Param {
  let name: String
  let standard: ParamValue
  let minimum: Double
  let maximum: Double
  let choices: [String]
  /// Whether a number must stay whole, as its default is.
  let isInteger: Bool

  init(_ name: String, declared value: LuaValue, _ state: LuaState) throws {
    let table = value.table
    let known = ["min", "max", "help", "choices"]
    for key in table?.keys ?? [] where !known.contains(key) {
      throw CompressError(
        "param \"\(name)\": \"\(key.escapedForTerminal)\" says nothing here" + Suggestion.text(for: key, among: known))
    }
    let first = table?[1] ?? value
    isInteger = if case .integer = first { true } else { false }
    guard let standard = ParamValue(first) else {
      throw CompressError("param \"\(name)\" needs a default: a number, a string, true or false")
    }
    self.name = name
    self.standard = standard
    do {
      minimum = try table?.bound("min") ?? -.infinity
      maximum = try table?.bound("max") ?? .infinity
      guard minimum <= maximum else { throw CompressError("min \(minimum.short) is above max \(maximum.short)") }
    } catch let error as CompressError {
      throw CompressError("param \"\(name.escapedForTerminal)\": \(error.message)")
    }
    choices = table?["choices"].table?.array.compactMap(\.string) ?? []
    try check(standard)
  }

  /// - Throws: `CompressError` when the text is no value of the default's type, or out of range.
  func parse(_ text: String) throws -> ParamValue {
    let value: ParamValue?
    switch standard {
    case .bool: value = ["true": .bool(true), "false": .bool(false)][text]
    case .number: value = Double(text).flatMap { $0.isFinite && (!isInteger || $0 == $0.rounded()) ? .number($0) : nil }
    case .string: value = .string(text)
    }
    guard let value else {
      let kind =
        switch standard {
        case .bool: "true or false"
        case .number: isInteger ? "an integer" : "a number"
        case .string: "a string"
        }
      throw CompressError("--set \(name)=\(text.escapedForTerminal): must be \(kind)")
    }
    try check(value)
    return value
  }

  private func check(_ value: ParamValue) throws {
    switch value {
    case .number(let number):
      guard (minimum...maximum).contains(number) else {
        throw CompressError("param \"\(name)\" is \(number.short), outside \(minimum.short) to \(maximum.short)")
      }
    case .string(let text):
      guard choices.isEmpty || choices.contains(text) else {
        throw CompressError(
          "param \"\(name)\" is \"\(text.escapedForTerminal)\", no choice of it"
            + Suggestion.text(for: text, among: choices))
      }
    case .bool: break
    }
  }
}

extension ParamValue {
  fileprivate init?(_ value: LuaValue) {
    if let bool = value.bool {
      self = .bool(bool)
    } else if let number = value.number, number.isFinite {
      self = .number(number)
    } else if let string = value.string {
      self = .string(string)
    } else {
      return nil
    }
  }

  fileprivate var lua: LuaValue {
    switch self {
    case .bool(let value): .bool(value)
    case .number(let value): Int(exactly: value).map { .integer($0) } ?? .number(value)
    case .string(let value): .string(value)
    }
  }
}
