import Diagnostics
import Tensors

/// Where a file has the weights of its layers. Both forms name them by groups: a `.keras` archive by a group for each
/// model inside another, with numbered weights; a `.h5` file by one for each layer of the outermost model, with named
/// weights.
struct KerasWeights {
  enum Form { case archive, whole }

  /// A model, by which its layers' weights are found.
  struct Scope {
    /// Of the whole file: the outermost model's layer that holds this one; nil in the outermost itself.
    fileprivate let top: String?
    /// The names of the models around it but the outermost and its layer, and its own.
    fileprivate let names: [String]
    /// Of the archive: the groups of its layers, by their names.
    fileprivate let groups: [String: String]
  }

  private let file: HDF5File
  private let form: Form
  /// Of the archive, by the path of a model's group: its layers' groups, by the layers' names.
  private var named: [String: [String: String]] = [:]
  /// Whether layers are in groups as Keras 2 called them.
  private var isOld = false
  /// Of the whole file, by the outermost model's layer: data sets by `kernel` and by `layer/kernel`.
  private var sets: [String: [String: [[String]]]] = [:]

  private static let root = "/model_weights"

  init(_ file: HDF5File, _ form: Form) {
    self.file = file
    self.form = form
    switch form {
    case .archive:
      isOld = file.dataSets.keys.contains { $0.contains("/_layer_checkpoint_dependencies/") }
      // Later archives of Keras 3 name the layer of a group.
      for (path, attributes) in file.attributes where path.hasSuffix("/vars") {
        guard let name = attributes["name"]?.first else { continue }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        // …/layers/conv2d
        named[parts.dropLast(2).joined(separator: "/"), default: [:]][name] = parts.joined(separator: "/")
      }
    case .whole:
      for path in file.dataSets.keys where path.hasPrefix(Self.root + "/") {
        let parts = path.dropFirst(Self.root.count + 1).split(separator: "/").map(String.init)
        guard parts.count > 1, var name = parts.last else { continue }
        // `kernel:0` of Keras 2.
        if name.hasSuffix(":0") { name.removeLast(2) }
        let inner = Array(parts.dropFirst())
        sets[parts[0], default: [:]][name, default: []].append(inner)
        if inner.count > 1 { sets[parts[0]]!["\(inner[inner.count - 2])/\(name)", default: []].append(inner) }
      }
    }
  }

  func outermost(_ layers: [KerasLayer]) -> Scope { Scope(top: nil, names: [], groups: groups(of: layers, in: "")) }

  /// Of a layer that is a model itself.
  func scope(of layer: KerasLayer, _ layers: [KerasLayer], in scope: Scope) -> Scope {
    Scope(
      top: scope.top ?? layer.name, names: scope.top == nil ? [] : scope.names + [layer.name],
      groups: groups(of: layers, in: scope.groups[layer.name] ?? ""))
  }

  private func groups(of layers: [KerasLayer], in group: String) -> [String: String] {
    guard form == .archive else { return [:] }
    let known = named[group] ?? [:], folder = isOld ? "_layer_checkpoint_dependencies" : "layers"
    var groups: [String: String] = [:], counts: [String: Int] = [:]
    for layer in layers where !layer.isFunction {
      // Without a name they are numbered among those of their class.
      let kind = Self.snakeCase(layer.kind), number = counts[kind, default: 0]
      counts[kind] = number + 1
      groups[layer.name] = known[layer.name] ?? "\(group)/\(folder)/\(kind)" + (number == 0 ? "" : "_\(number)")
    }
    return groups
  }

  /// `DepthwiseConv2D` as `depthwise_conv2d`, by Keras's rule.
  static func snakeCase(_ name: String) -> String {
    let letters = Array(name.unicodeScalars)
    func isUpper(_ index: Int) -> Bool { index < letters.count && ("A"..."Z").contains(letters[index]) }
    func isLower(_ index: Int) -> Bool { index >= 0 && index < letters.count && ("a"..."z").contains(letters[index]) }
    var out = ""
    for (index, letter) in letters.enumerated() {
      if index > 0, isUpper(index), isLower(index + 1) || isLower(index - 1) { out += "_" }
      out.unicodeScalars.append(letter)
    }
    return out.lowercased()
  }

  /// A layer within a layer.
  struct Part {
    /// In a whole file.
    let name: String
    /// Of its group in an archive, as one version or another has it.
    let groups: [String]
  }

  /// The weights of a layer.
  ///
  /// - Parameters:
  ///   - part: of a layer that is made of others: which of them.
  ///   - names: in the order in which Keras makes them.
  /// - Throws: `CompressError` naming what is missing.
  func tensors(
    of layer: KerasLayer, part: Part? = nil, _ names: [String], in scope: Scope
  ) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:], group = scope.groups[layer.name] ?? ""
    if let part {
      let known = part.groups.first { file.dataSets["\(group)/\($0)/vars/0"] != nil }
      group += "/" + (known ?? part.groups.first ?? part.name)
    }
    for (index, name) in names.enumerated() {
      let path =
        try form == .archive ? "\(group)/vars/\(index)" : path(of: name, layer, part, in: scope)
      guard let set = file.dataSets[path] else {
        throw CompressError(
          "has no \(name): the file has no data set \"\(path.escapedForTerminal.shortened(to: 200))\"", kind: .input)
      }
      guard set.type.isFloat else {
        throw CompressError(
          "has a \(name) of integers (\(set.type.rawValue)): quantized models are not read", kind: .input,
          hint: "save the model before it is quantized")
      }
      tensors[name] = set.floats
    }
    return tensors
  }

  private func path(of name: String, _ layer: KerasLayer, _ part: Part?, in scope: Scope) throws -> String {
    let top = scope.top ?? layer.name, owner = part?.name ?? (scope.top == nil ? nil : layer.name)
    var found = sets[top]?[owner.map { "\($0)/\(name)" } ?? name] ?? []
    if part != nil, scope.top != nil { found = found.filter { $0.contains(layer.name) } }
    // Models may have layers of one name: then those around them tell.
    if found.count > 1 { found = found.filter { path in scope.names.allSatisfy(path.contains) } }
    guard found.count <= 1 else {
      throw CompressError(
        "has several weights called \(name) in \"\(Self.root)/\(top.escapedForTerminal.shortened(to: 80))\"",
        kind: .input)
    }
    let usual = [layer.name] + (part.map { [$0.name] } ?? []) + [name]
    return ([Self.root, top] + (found.first ?? usual)).joined(separator: "/")
  }
}
