import Diagnostics
import Network
import Tensors

// Operators of the standard that are several of ours.
extension ONNXImporter {
  mutating func apply(_ function: Activation, _ value: Held, named name: String) throws -> Held {
    var held = value
    held.name = try emit(.activation(function), [held.name], named: name)
    return held
  }

  private mutating func with(_ op: Operator, _ value: Held, _ number: Float, named name: String) throws -> Held {
    try paired(op, .held(value), Self.number(number), named: name)
  }

  // MARK: Functions of an element

  /// `gamma * elu(x)`.
  mutating func selu(_ node: ONNXNode) throws {
    let isFirst = node.version < 6, name = node.outputs[0]
    let alpha = node.float("alpha", isFirst ? 1.6732 : 1.6732632), gamma = node.float("gamma", isFirst ? 1.0507 : 1.050701)
    let elu = try apply(.elu(alpha: alpha), try held(node, 0), named: name + " elu")
    give(node, try with(Mul().asOperator, elu, gamma, named: name))
  }

  /// `alpha * elu(x / alpha)`.
  mutating func celu(_ node: ONNXNode) throws {
    let alpha = node.float("alpha", 1), name = node.outputs[0]
    guard alpha > 0, alpha.isFinite else { throw CompressError("alpha \(alpha)", kind: .input) }
    guard alpha != 1 else { return try function(node, .elu(alpha: 1)) }
    let part = try with(Mul().asOperator, try held(node, 0), 1 / alpha, named: name + " part")
    let elu = try apply(.elu(alpha: 1), part, named: name + " elu")
    give(node, try with(Mul().asOperator, elu, alpha, named: name))
  }

  /// `x / (1 + |x|)`.
  mutating func softsign(_ node: ONNXNode) throws {
    let held = try held(node, 0), name = node.outputs[0]
    let size = try apply(.absolute, held, named: name + " size")
    let sum = try with(Add().asOperator, size, 1, named: name + " sum")
    give(node, try paired(Binary(.div).asOperator, .held(held), .held(sum), named: name))
  }

  /// 1 above a number, 0 elsewhere.
  private mutating func isAbove(_ value: Held, _ threshold: Float, named name: String) throws -> Held {
    let difference = try with(Binary(.sub).asOperator, value, threshold, named: name + " difference")
    return try apply(.relu, try apply(.sign, difference, named: name + " sign"), named: name)
  }

  /// `x` above alpha, 0 elsewhere.
  mutating func thresholdedReLU(_ node: ONNXNode) throws {
    let held = try held(node, 0), name = node.outputs[0]
    let gate = try isAbove(held, node.float("alpha", 1), named: name + " gate")
    give(node, try paired(Mul().asOperator, .held(held), .held(gate), named: name))
  }

  /// `x - bias` above lambda, `x + bias` below its opposite, 0 between.
  mutating func shrink(_ node: ONNXNode) throws {
    let held = try held(node, 0), name = node.outputs[0], lambda = node.float("lambd", 0.5), bias = node.float("bias", 0)
    guard lambda >= 0 else { throw CompressError("lambd \(lambda)", kind: .input) }
    let negative = try apply(.negative, held, named: name + " negative")
    func part(_ importer: inout ONNXImporter, _ value: Held, _ side: String) throws -> Held {
      let gate = try importer.isAbove(value, lambda, named: "\(name) \(side) gate")
      let moved = try importer.with(Binary(.sub).asOperator, value, bias, named: "\(name) \(side) moved")
      return try importer.paired(Mul().asOperator, .held(moved), .held(gate), named: "\(name) \(side)")
    }
    let above = try part(&self, held, "above"), below = try part(&self, negative, "below")
    give(node, try paired(Binary(.sub).asOperator, .held(above), .held(below), named: name))
  }

  /// Of values at the same place.
  mutating func mean(_ node: ONNXNode) throws {
    guard node.inputs.count > 1 else { return try arithmetic(node, Add().asOperator) }
    var result = values[node.inputs[0]]!
    for (index, input) in node.inputs.enumerated().dropFirst() {
      guard let value = values[input] else { throw CompressError("leaves out an input", kind: .input) }
      result = .held(try paired(Add().asOperator, result, value, named: node.outputs[0] + " sum \(index)"))
    }
    let share = Self.number(1 / Float(node.inputs.count))
    give(node, try paired(Mul().asOperator, result, share, named: node.outputs[0]))
  }

  // MARK: Reductions

  /// The p-th root of the sum of the p-th powers; without p the sum of the squares.
  mutating func norm(_ node: ONNXNode, _ p: Int?) throws {
    var held = try flattened(try self.held(node, 0))
    let name = node.outputs[0], axes = try reducedAxes(node, &held)
    let powers =
      p == 1
      ? try apply(.absolute, held, named: name + " size")
      : try paired(Mul().asOperator, .held(held), .held(held), named: name + " square")
    guard p == 2 else {
      return give(node, try reduced(powers, .sum, axes ?? [], keeps: node.integer("keepdims", 1) != 0, named: name))
    }
    let sum = try reduced(
      powers, .sum, axes ?? [], keeps: node.integer("keepdims", 1) != 0, named: name + " sum")
    give(node, try apply(.sqrt, sum, named: name))
  }

  mutating func logSum(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let axes = try reducedAxes(node, &held) ?? [], name = node.outputs[0]
    let sum = try reduced(held, .sum, axes, keeps: node.integer("keepdims", 1) != 0, named: name + " sum")
    give(node, try apply(.log, sum, named: name))
  }

  /// `max + log(sum(exp(x - max)))`, which does not overflow.
  mutating func logSumExp(_ node: ONNXNode) throws {
    var held = try flattened(try self.held(node, 0))
    let axes = try reducedAxes(node, &held) ?? [], name = node.outputs[0]
    let greatest = try reduced(held, .max, axes, keeps: true, named: name + " max")
    let rest = try paired(Binary(.sub).asOperator, .held(held), .held(greatest), named: name + " rest")
    let powers = try apply(.exp, rest, named: name + " powers")
    let sum = try reduced(powers, .sum, axes, keeps: true, named: name + " sum")
    let log = try apply(.log, sum, named: name + " log")
    var result = try paired(Add().asOperator, .held(greatest), .held(log), named: name)
    if node.integer("keepdims", 1) == 0 {
      result = without(axes, result, keeps: false)
      result.name = try reshape(result.name, result.shape, named: name + " reshaped")
    }
    give(node, result)
  }

  // MARK: Windows

  /// A pool whose pixels lie apart: the pixels at each place of the window, taken together.
  ///
  /// A place outside the image counts for nothing: in a maximum another place of the same window stands for it, in a mean
  /// it is zero, and the mean is over the places that count.
  mutating func dilated(
    _ value: Held, _ reduction: Pool2D.Reduction, _ window: Window, _ pads: [Int], countsPadding: Bool,
    named name: String
  ) throws -> String {
    let shape = value.shape
    func places(_ axis: Int, _ size: Int, _ stride: Int, _ dilation: Int) throws -> [[Int?]] {
      let extent = shape[axis], outputs = (extent + pads[axis] + pads[axis + 2] - (size - 1) * dilation - 1) / stride + 1
      guard outputs > 0, pads.allSatisfy({ (0...1 << 16).contains($0) }) else {
        throw CompressError("a window of \(size) pixels, \(dilation) apart, of \(extent) pixels", kind: .input)
      }
      return (0..<size).map { tap in
        (0..<outputs).map { output in
          let place = output * stride - pads[axis] + tap * dilation
          return (0..<extent).contains(place) ? place : nil
        }
      }
    }
    let down = try places(0, window.size.height, window.stride.height, window.dilation.height)
    let across = try places(1, window.size.width, window.stride.width, window.dilation.width)
    guard down.count + across.count <= 256 else {
      throw CompressError("a dilated window of \(down.count)x\(across.count) pixels is too large", kind: .limit)
    }
    try spend(Self.indexCost * (down.count * down[0].count + across.count * across[0].count))
    /// For each output how many places of its window are inside.
    func counts(_ taps: [[Int?]]) -> [Int] { taps[0].indices.map { o in taps.count { $0[o] != nil } } }
    guard (counts(down) + counts(across)).allSatisfy({ $0 > 0 }) else {
      throw CompressError("a window that lies in the padding as a whole", kind: .input)
    }
    if reduction == .max {
      func one(_ importer: inout ONNXImporter, _ value: String, _ axis: Int, _ taps: [[Int?]], _ name: String) throws
        -> String
      {
        let parts = try taps.indices.map { tap in
          let indices = taps[tap].indices.map { output in taps[tap][output] ?? taps.compactMap { $0[output] }.first! }
          return try importer.emit(.gather(Gather(axis: axis, indices)), [value], named: "\(name) part \(tap)")
        }
        return try parts.dropFirst().reduce(parts[0]) {
          try importer.emit(.binary(Binary(.maximum)), [$0, $1], named: name)
        }
      }
      return try one(&self, one(&self, value.name, 0, down, name + " rows"), 1, across, name)
    }
    // With a row and a column of zeros in front, which stand for what is outside.
    let padded = try emit(
      .pad(Pad(before: [1, 1, 0], after: [0, 0, 0])), [value.name], named: name + " padded")
    func sum(_ importer: inout ONNXImporter, _ value: String, _ axis: Int, _ taps: [[Int?]], _ name: String) throws
      -> String
    {
      let parts = try taps.indices.map { tap in
        try importer.emit(
          .gather(Gather(axis: axis, taps[tap].map { ($0 ?? -1) + 1 })), [value], named: "\(name) part \(tap)")
      }
      return try parts.dropFirst().reduce(parts[0]) { try importer.emit(.add(Add()), [$0, $1], named: name) }
    }
    let total = try sum(&self, sum(&self, padded, 0, down, name + " rows"), 1, across, name + " sum")
    let rows = counts(down), columns = counts(across), all = down.count * across.count
    let shares = rows.flatMap { row in columns.map { 1 / Float(countsPadding ? all : row * $0) } }
    let share = try constant(Tensor(shares, [rows.count, columns.count, 1]), order: [0, 1, 2], named: name + " share")
    return try emit(.mul(Mul()), [total, share], named: name)
  }

  /// The root of the sum of squares in a window, or the sum of magnitudes: from their mean, in which padding counts.
  mutating func normPool(_ node: ONNXNode) throws {
    let p = try order(node), (held, isSignal) = try windowed(try self.held(node, 0))
    guard node.attributes["kernel_shape"] != nil else { throw CompressError("has no kernel_shape", kind: .input) }
    let size = try pair(node, "kernel_shape", 1, isSignal: isSignal)
    let stride = try pair(node, "strides", 1, isSignal: isSignal)
    let dilation = try pair(node, "dilations", 1, isSignal: isSignal)
    let pads = try pads(node, held.shape, size, stride, dilation, isSignal: isSignal)
    guard !node.flag("ceil_mode") else { throw CompressError("ceil_mode is not supported", kind: .input) }
    let name = node.outputs[0], powers = try powers(held.name, p, named: name)
    let mean: String
    if dilation == Size2D(1) {
      let pool = Pool2D(
        .average, window: Window(size, stride: stride, padding: Self.padding(pads)),
        countsPadding: pads.contains { $0 != 0 })
      mean = try emit(.pool2d(pool), [powers], named: name + " mean")
    } else {
      var image = held
      image.name = powers
      mean = try dilated(
        image, .average, Window(size, stride: stride, dilation: dilation), pads, countsPadding: true,
        named: name + " mean")
    }
    let result = try root(mean, p, times: Float(size.height * size.width), named: name)
    try giveImage(node, result, isSignal: isSignal)
  }

  mutating func globalNormPool(_ node: ONNXNode) throws {
    let p = try order(node), (held, isSignal) = try windowed(try self.held(node, 0)), name = node.outputs[0]
    let mean = try emit(
      .globalPool(GlobalPool(.average)), [try powers(held.name, p, named: name)], named: name + " mean")
    let pixel = try reshape(mean, [1, 1, held.dims[0]], named: mean + " reshaped")
    let result = try root(pixel, p, times: Float(held.shape[0] * held.shape[1]), named: name)
    try giveImage(node, result, isSignal: isSignal)
  }

  private func order(_ node: ONNXNode) throws -> Int {
    let p = node.attributes["p"]?.integer.map { Float($0) } ?? node.float("p", 2)
    guard p == 1 || p == 2 else { throw CompressError("p is \(p); supported are 1 and 2", kind: .input) }
    return Int(p)
  }

  private mutating func powers(_ value: String, _ p: Int, named name: String) throws -> String {
    p == 1
      ? try emit(.activation(.absolute), [value], named: name + " size")
      : try emit(.mul(Mul()), [value, value], named: name + " square")
  }

  private mutating func root(_ value: String, _ p: Int, times count: Float, named name: String) throws -> String {
    let factor = try constant(Tensor([count]), order: [0], named: name + " count")
    let sum = try emit(.mul(Mul()), [value, factor], named: p == 1 ? name : name + " sum")
    return p == 1 ? sum : try emit(.activation(.sqrt), [sum], named: name)
  }

  /// `x / (bias + alpha * mean of the squares of neighbouring channels)^beta`: the channels as an image of one channel,
  /// over which a mean slides.
  mutating func localResponseNormalization(_ node: ONNXNode) throws {
    let (held, isSignal) = try windowed(try self.held(node, 0)), name = node.outputs[0], shape = held.shape
    let size = Int(clamping: node.integer("size", 0))
    guard (1...1 << 16).contains(size) else { throw CompressError("size \(size)", kind: .input) }
    let square = try emit(.mul(Mul()), [held.name, held.name], named: name + " square")
    let rows = try reshape(square, [shape[0] * shape[1], shape[2], 1], named: name + " rows")
    let window = Window(
      Size2D(1, size), padding: .explicit(top: 0, left: (size - 1) / 2, bottom: 0, right: size / 2))
    let mean = try emit(
      .pool2d(Pool2D(.average, window: window, countsPadding: size > 1)), [rows], named: name + " mean")
    var image = held
    image.name = try reshape(mean, shape, named: name + " image")
    image = try with(Mul().asOperator, image, node.float("alpha", 0.0001), named: name + " scaled")
    image = try with(Add().asOperator, image, node.float("bias", 1), named: name + " sum")
    image = try with(Binary(.pow).asOperator, image, -node.float("beta", 0.75), named: name + " power")
    try giveImage(node, emit(.mul(Mul()), [held.name, image.name], named: name), isSignal: isSignal)
  }

  // MARK: Products of several axes

  /// A product of matrices, whatever the order of their axes.
  mutating func einsum(_ node: ONNXNode) throws {
    let equation = node.text("equation", "").filter { $0 != " " }
    let sides = equation.components("->"), terms = sides[0].components(",").map(Array.init)
    let shown = "equation \"\(equation.escapedForTerminal.shortened(to: 80))\""
    guard sides.count == 2, terms.count == 2, node.inputs.count == 2,
      (sides[0] + sides[1]).allSatisfy({ $0.isLetter || $0 == "," })
    else {
      throw CompressError("\(shown); supported are products of two values with an explicit result", kind: .input)
    }
    let result = Array(sides[1]), (first, second) = (terms[0], terms[1])
    for term in [first, second, result] where Set(term).count != term.count {
      throw CompressError("\(shown) names an axis twice in one value", kind: .input)
    }
    let shared = first.filter { second.contains($0) }
    let outer = shared.filter { result.contains($0) }, inner = shared.filter { !result.contains($0) }
    let rows = first.filter { !second.contains($0) }, columns = second.filter { !first.contains($0) }
    guard inner.count == 1, rows.count == 1 || outer.isEmpty && !rows.isEmpty, columns.count == 1,
      Set(result) == Set(outer + rows + columns)
    else {
      throw CompressError("\(shown) is no product of matrices", kind: .input)
    }
    func matrix(_ importer: inout ONNXImporter, _ index: Int, _ own: [Character], _ wanted: [Character]) throws -> Held {
      var held = try importer.flattened(try importer.held(node, index))
      guard held.rank == own.count else {
        throw CompressError("\(shown) of a value with \(held.rank) axes", kind: .input)
      }
      var (own, wanted) = (own, wanted)
      if held.hasBatch {
        if own[0] == wanted[0] {
          own.removeFirst()
          wanted.removeFirst()
        } else {
          held = try importer.unbatched(held)
        }
      }
      return held.permuted(wanted.map { own.firstIndex(of: $0)! })
    }
    let a = try matrix(&self, 0, first, outer + rows + inner)
    let b = try matrix(&self, 1, second, outer + inner + columns)
    var product = try self.product(a, b, named: node.outputs[0])
    var (own, wanted) = (outer + rows + columns, result)
    if product.hasBatch {
      if own[0] == wanted[0] {
        own.removeFirst()
        wanted.removeFirst()
      } else {
        product = try unbatched(product)
      }
    }
    give(node, product.permuted(wanted.map { own.firstIndex(of: $0)! }))
  }
}

extension ONNXImporter.Held {
  /// Axis `j` of the result is axis `perm[j]` of this; nothing is moved.
  func permuted(_ perm: [Int]) -> ONNXImporter.Held {
    var places = [Int](repeating: 0, count: perm.count)
    for (new, old) in perm.enumerated() { places[old] = new }
    return ONNXImporter.Held(name, perm.map { dims[$0] }, order: order.map { places[$0] }, hasBatch: hasBatch)
  }
}

extension String {
  /// Its parts between separators.
  fileprivate func components(_ separator: String) -> [String] {
    var parts: [String] = [], rest = Substring(self)
    while let range = rest.range(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }
}
