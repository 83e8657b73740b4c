import Diagnostics
import LuaHost
import Reports

extension ScriptSession {
  private static let mostParams = 1000

  /// `params { sparsity = { 0.8, min = 0, max = 1, help = "…" } }`: declared once, before any stage.
  func defineParams() {
    state.define(
      "params", "(declared: table<string, any>): table<string, any>",
      "Declares what --set changes, once and first: name = { default, min =, max =, choices =, help = }."
    ) { [unowned self] arguments in
      guard params == nil else { throw CompressError("params is declared once") }
      guard stages.isEmpty else { throw CompressError("params comes before the first stage") }
      let table = try arguments.table(0)
      var declared: [ParamDeclaration] = []
      let values = try state.makeTable()
      var list: [(name: String, value: ParamValue)] = []
      var settings = Dictionary(options.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      let pairs = table.pairs
      guard pairs.count <= Self.mostParams else {
        throw CompressError("\(pairs.count) params; at most \(Self.mostParams) are declared")
      }
      for (key, value) in pairs {
        guard let name = key.string else { throw CompressError("params are named: write name = { default }") }
        let param = try ParamDeclaration(name, declared: value, state)
        let chosen = try settings.removeValue(forKey: name).map { try param.parse($0) } ?? param.standard
        list.append((name, chosen))
        declared.append(param)
        try values.set(name, chosen.lua)
      }
      if let unknown = settings.keys.min() {
        throw CompressError(
          "--set \(unknown.escapedForTerminal): there is no such param"
            + Suggestion.text(for: unknown, among: list.map(\.name)))
      }
      params = list
      declarations = declared
      if options.declareOnly { throw CompressError("only the params were wanted", kind: .cancelled) }
      values.freeze("params are read-only")
      return [.table(values)]
    }
  }
}
