/// The C of one layer while it is written: its functions, the tables they read, and how they are called.
struct LayerCode {
  enum Argument {
    /// One of the layer's inputs, so many elements from its beginning.
    case input(Int, from: Int = 0)
    case output(from: Int = 0)
    case scratch
    /// A number of the patch that is computed.
    case extent(PatchStage.Extent)
  }

  struct Call {
    let function: String
    let arguments: [Argument]
  }

  /// The name of the layer's function; other names begin with it.
  let name: String
  /// What stands above it.
  let comment: String
  private(set) var constants: [CConstant] = []
  private(set) var helpers: Set<Helper> = []
  /// Whether functions of the C library's mathematics are called.
  private(set) var usesMathematics = false
  private(set) var lines: [String] = []
  private(set) var calls: [Call] = []
  private var tables: [[Int]: String] = [:]
  private var functions = 0

  init(name: String, comment: String) {
    self.name = name
    self.comment = comment
  }

  /// A table of numbers; gives its name.
  mutating func constant(_ suffix: String, _ values: CConstant.Values) -> String {
    let constant = CConstant("\(name)_\(suffix)", values)
    constants.append(constant)
    return constant.name
  }

  /// A table of indices or offsets; the same list is one table.
  mutating func table(_ list: [Int]) -> String {
    if let known = tables[list] { return known }
    let constant = CConstant("\(name)_at\(tables.count)", indices: list)
    constants.append(constant)
    tables[list] = constant.name
    return constant.name
  }

  mutating func use(_ helper: Helper) {
    if helpers.insert(helper).inserted { helper.needs.forEach { use($0) } }
  }

  mutating func useMathematics() { usesMathematics = true }

  /// A number for each channel: one literal where they are all the same.
  mutating func perChannel(_ suffix: String, _ values: [Float], index: String) -> String {
    guard let first = values.first, values.contains(where: { $0.bitPattern != first.bitPattern }) else {
      return CText.float(values.first ?? 0)
    }
    return constant(suffix, .floats(values)) + "[\(index)]"
  }

  mutating func perChannel(_ suffix: String, _ values: [Int32], index: String) -> String {
    guard let first = values.first, values.contains(where: { $0 != first }) else { return "\(values.first ?? 0)" }
    return constant(suffix, .int32(values)) + "[\(index)]"
  }

  /// A function and its call.
  mutating func function(_ parameters: [(type: String, name: String, argument: Argument)], _ body: [String]) {
    let own = functions == 0 ? name : "\(name)_\(functions)"
    functions += 1
    let list = parameters.map { "\($0.type)\($0.name)" }.joined(separator: ", ")
    lines.append("static void \(own)(\(list)) {")
    lines += body.map { $0.isEmpty ? $0 : "  " + $0 }
    lines += ["}", ""]
    calls.append(Call(function: own, arguments: parameters.map(\.argument)))
  }
}

/// A loop over so many, from either end.
func loop(_ variable: String, _ count: Int, backward: Bool = false) -> String {
  backward
    ? "for (int32_t \(variable) = \(count - 1); \(variable) >= 0; \(variable)--) {"
    : "for (int32_t \(variable) = 0; \(variable) < \(count); \(variable)++) {"
}

/// The same over as many as an expression says.
func loop(_ variable: String, _ count: String, backward: Bool = false) -> String {
  if let count = Int(count) { return loop(variable, count, backward: backward) }
  return backward
    ? "for (int32_t \(variable) = \(count) - 1; \(variable) >= 0; \(variable)--) {"
    : "for (int32_t \(variable) = 0; \(variable) < \(count); \(variable)++) {"
}

/// One layer as C: what it takes of memory, and how it is written once its place is known.
struct CLayer {
  /// Bytes beside inputs and result, aligned to four.
  var scratchBytes = 0
  /// By input.
  var overlaps: [Overlap]
  /// How it is computed patch by patch; nil of what needs its inputs as a whole.
  var patches: PatchForm?
  let write: (_ code: inout LayerCode, _ frame: Frame) -> Void
}

/// What a layer's function covers of its values, and in which order.
struct Frame {
  /// With loops from the last element to the first.
  var backward = false
  /// A patch of each value, which the function's parameters tell; nil for the whole of it.
  var patch: Patch?

  struct Patch {
    /// Pixels from one row of the result to the next, where it lies in the whole image; nil in a patch of its own.
    var line: Int?
  }
}
