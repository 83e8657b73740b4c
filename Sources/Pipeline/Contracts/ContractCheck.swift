import Diagnostics
import Network
import Tensors

/// One promise, held against what a later stage made of the layer.
struct ContractCheck {
  private let contract: Contract
  private let before: Parameter?
  private let after: Parameter?
  private let label: String

  init(_ contract: Contract, before: Model, after: Model, by label: String) {
    self.contract = contract
    self.before = before[contract.layer, .weight]
    self.after = after[contract.layer, .weight]
    self.label = label
  }

  /// The promise as it reads from now on; nil when there is nothing left that it could be about.
  ///
  /// - Throws: `CompressError` when it was broken.
  func kept() throws -> Contract.Promise? {
    if case .filters(let most) = contract.promise {
      // A layer that was folded away or taken apart has no filters to count.
      guard let count = after?.shape.dims.first else { return nil }
      guard count <= most else { throw broken("has \(count) filters, where \(promiser) left \(most)") }
      return .filters(most: count)
    }
    guard let after else { throw broken("removed the layer, of which \(promiser) promised \(contract.promise)") }
    switch contract.promise {
    case .zeros(let count): return .zeros(count: try zeros(after, promised: count))
    case .pattern(let keep, let of): try pattern(after, keep: keep, of: of)
    case .blocks(let rows, let columns): try blocks(after, rows: rows, columns: columns)
    case .clusters(let most): try clusters(after, most: most)
    case .filters: break
    }
    return contract.promise
  }

  private func zeros(_ after: Parameter, promised: Int) throws -> Int {
    guard let mask = after.mask else { throw broken("dropped the mask of \(promised) zeros of \(promiser)") }
    // Where channels went, positions have moved: what the mask says now has to do.
    let removed = before?.mask.flatMap { $0.shape == after.shape ? $0 : nil } ?? mask
    var count = 0, nonzero = 0, freed = 0
    after.values.withElements(Float.self) { values in
      mask.withElements(UInt8.self) { mask in
        removed.withElements(UInt8.self) { removed in
          for i in values.indices where removed[i] == 0 {
            if values[i] != 0 { nonzero += 1 }
            if mask[i] != 0 { freed += 1 }
          }
          count = mask.count { $0 == 0 }
        }
      }
    }
    guard nonzero == 0 else { throw broken("made \(nonzero) of \(promised) weights nonzero that \(promiser) removed") }
    guard freed == 0 else { throw broken("lets \(freed) of \(promised) weights grow again that \(promiser) removed") }
    return count
  }

  private func pattern(_ after: Parameter, keep: Int, of: Int) throws {
    let structure = SparsityStructure.pattern(keep: keep, of: of)
    guard let worst = structure.violation(in: after.encoding.nonzeroMask) else { return }
    throw broken(
      "left \(worst.left) of \(worst.size) weights nonzero (filter \(worst.filter + 1), inputs \(worst.input + 1) to "
        + "\(worst.input + worst.size)) where \(promiser) promised \(worst.most)",
      hint: "remove filters first, then prune to the pattern")
  }

  /// As long as the weight keeps its shape, the zeros say it all; where channels went, blocks may have come apart.
  private func blocks(_ after: Parameter, rows: Int, columns: Int) throws {
    guard let mask = after.mask, before?.shape != after.shape,
      let torn = SparsityStructure.blocks(rows: rows, columns: columns).violation(in: mask)
    else { return }
    throw broken(
      "left \(torn.size - torn.left) of \(torn.size) weights of a block zero (filter \(torn.filter + 1), input "
        + "\(torn.input + 1)) where \(promiser) promised whole blocks of \(rows) by \(columns)",
      hint: "remove filters first, then prune to blocks")
  }

  private func clusters(_ after: Parameter, most: Int) throws {
    var seen = Set<Float>()
    after.values.withElements(Float.self) { values in
      for value in values where value != 0 {
        seen.insert(value)
        if seen.count > most { return }
      }
    }
    guard seen.count <= most else {
      throw broken("left more than the \(most) different values that \(promiser) promised")
    }
  }

  private var promiser: String { "\"\(contract.stage)\"" }

  private func broken(_ what: String, hint: String? = nil) -> CompressError {
    CompressError("\"\(label)\" \(what)", hint: hint)
  }
}

extension Contract.Promise: CustomStringConvertible {
  public var description: String {
    switch self {
    case .zeros(let count): "\(count) zeros"
    case .pattern(let keep, let of): "\(keep) of \(of) weights"
    case .blocks(let rows, let columns): "blocks of \(rows) by \(columns)"
    case .filters(let count): "\(count) filters"
    case .clusters(let count): "\(count) values"
    }
  }
}
