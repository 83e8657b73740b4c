import Analysis
import Datasets
import Devices
import Diagnostics
import Formats
import Network

/// Chooses for each layer among several models of one network, from cheap to dear (`LayerMix`).
///
/// Its inputs are the original, then the candidates. With the quantized model and the original itself as candidates it
/// is a rescue: the fewest layers back to float.
public struct MixStage: StageWork {
  public typealias Goal = LayerMix.Goal
  public typealias Price = LayerMix.Price

  public let goal: Goal
  public let price: Price
  /// What accuracy or agreement is measured on, and, of its first samples, the error of outputs.
  public let data: any Dataset
  public let samples: Int
  /// What the candidates are called, for labels and notes.
  public let names: [String]
  /// What it is for: whose table says how long layers take, and what it can run.
  public let device: DeviceDescription?

  /// - Throws: `CompressError` when the goal is out of range or there are no candidates to choose among.
  public init(
    _ goal: Goal, price: Price, names: [String], data: any Dataset, samples: Int = 64, device: DeviceDescription? = nil
  )
    throws
  {
    switch goal {
    case .accuracy(let within) where !(0...1).contains(within):
      throw CompressError("accuracy within \(within) of the original's: that is a share from 0 to 1")
    case .agreement(let cosine) where !(0...1).contains(cosine):
      throw CompressError("a cosine of \(cosine) with the original's outputs: that is a number from 0 to 1")
    case .bytes(let bytes) where bytes < 1: throw CompressError("a file of \(bytes) bytes")
    case .latency(let milliseconds) where !(milliseconds > 0 && milliseconds.isFinite):
      throw CompressError("a network that takes \(milliseconds) ms")
    default: break
    }
    guard names.count > 1 else {
      throw CompressError("\(names.isEmpty ? "no candidate" : "one candidate"): two or more are needed to choose among")
    }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw CompressError("two candidates are called \"\(twice.escapedForTerminal)\"")
    }
    guard data.count > 0, samples > 0 else { throw CompressError("\"\(data.name)\" has no samples to choose by") }
    self.goal = goal
    self.price = price
    self.names = names
    self.data = data
    self.samples = min(samples, data.count)
    self.device = device
    let isByLatency = if case .latency = goal { true } else { price == .latency }
    guard !isByLatency || device?.table != nil else {
      throw CompressError(
        (device.map { "\"\($0.name)\" has no latency table" } ?? "there is no device")
          + ": how long layers take, nobody has measured",
        hint: "compress bench MODEL --table FILE measures; the description of a device names the file")
    }
  }

  public var kind: String { "mix" }
  public var label: String { "choose among \(names.joined(separator: ", "))" }

  public func recipe() throws -> Recipe {
    let goal: Recipe =
      switch goal {
      case .accuracy(let within): ["accuracy": .number(within)]
      case .agreement(let cosine): ["cosine": .number(cosine)]
      case .bytes(let bytes): ["bytes": .int(bytes)]
      case .latency(let milliseconds): ["latency_ms": .number(milliseconds)]
      }
    let recipe: Recipe = [
      "goal": goal, "price": .string(price.rawValue), "data": try data.identity.recipe(), "samples": .int(samples),
      "names": .list(names.map { .string($0) }),
    ]
    return recipe.adding(try device.map { ["device": try $0.recipe] })
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    switch goal {
    case .accuracy:
      do { try Measure.accuracy.check(inputs[0], original: inputs[0], fits: data) } catch var error as CompressError {
        if Measure.standard(for: inputs[0], on: data) == .agreement {
          error.hint = "cosine = 0.99 asks for agreement with the original's outputs instead"
        }
        throw error
      }
    case .agreement, .bytes, .latency: try Measure.agreement.check(inputs[0], original: inputs[0], fits: data)
    }
    return inputs[0]
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    // Of an equalized model a layer fits in where its own neighbours are scaled for it.
    let candidates = try inputs.dropFirst().map { candidate in
      let alike = try candidate.equalized(like: inputs[1])
      return alike.layers.isEmpty ? candidate : alike.model
    }
    // Ranges of activations make little more of the cheaper one; a quarter more is the wrong order.
    let sizes = try candidates.map(NativeFormat.byteCount)
    if price == .bytes,
      let (cheap, dear) = zip(sizes.indices, sizes.indices.dropFirst())
        .first(where: { sizes[$0] > sizes[$1] + sizes[$1] / 4 })
    {
      throw CompressError(
        "candidates stand from cheap to dear: \"\(names[cheap])\" takes \(sizes[cheap]) bytes, \"\(names[dear])\" "
          + "behind it \(sizes[dear])")
    }
    for (name, candidate) in zip(names, candidates) { try device?.check(candidate, called: "candidate \"\(name)\"") }
    let mix = LayerMix(
      of: inputs[0], candidates, names: names, on: data, samples: samples, byteCount: NativeFormat.byteCount,
      milliseconds: { try device!.milliseconds(of: $0).milliseconds })
    context.progress.begin(label, total: mix.steps)
    let levels = try mix.levels(for: goal, price: price, context: context.work)
    let model = try mix.model(levels)
    context.progress.end(
      detail: names.enumerated().map { level, name in "\(levels.count { $0 == level }) \(name)" }
        .joined(separator: ", "))
    var record = StageRecord()
    if case .agreement = goal {
      let judge = try Judge(.agreement, original: inputs[0], on: data, context: context.work)
      record.facts["cosine"] = try judge.score(model)
    }
    if let device, device.table != nil {
      let found = try device.milliseconds(of: model)
      record.facts["latency_ms"] = found.milliseconds
      record.notes += device.remarks(on: found, decided: "which layers are which")
    }
    let cost = ModelCost(model)
    for (level, name) in names.enumerated() {
      let members = mix.layers.indices.filter { levels[$0] == level }.map { mix.layers[$0] }
      let own = cost.layers.reduce(0) { $0 + (members.contains($1.name) ? $1.macs : 0) }
      let macs = Double(own) / Double(max(cost.macs, 1))
      record.facts["layers_\(name)"] = Double(members.count)
      record.facts["macs_\(name)"] = macs
      if level > 0, !members.isEmpty {
        record.notes.append(
          "\(name), \((macs * 100).formatted(1)) % of the multiply-accumulates: \(members.joined(separator: ", "))")
      }
    }
    return StageResult(model, record)
  }
}
