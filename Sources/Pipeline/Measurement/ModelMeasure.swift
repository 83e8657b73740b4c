import CSource
import Compression
import Diagnostics
import Formats
import Network
import Runtime
import Tensors

/// What a model is to come down to that can only be found by making it: its file's size, its speed on this machine, what
/// it takes on a device.
public enum ModelMeasure: String, Sendable, CaseIterable {
  /// Of the native file.
  case bytes
  /// The median for one sample, in the native runtime, on the threads of the run.
  case latency = "latency_ms"
  /// Bytes of memory and of constants that it takes in int8 as C source.
  case ram, flash

  private static let latencyRuns = 31

  /// What is to be said of a model that was chosen by it; nil where anybody would find the same.
  func remark(_ context: StageContext, decided: String = "how many filters went") -> String? {
    guard self == .latency else { return nil }
    return
      "latency_ms: as measured on \(context.pool.threads == 1 ? "one thread" : "\(context.pool.threads) threads") of "
      + "this machine, which decided \(decided)"
  }

  /// For labels.
  func text(_ value: Double) -> String {
    switch self {
    case .bytes: value > 1 ? "\(value.formatted(0)) bytes" : "\((value * 100).formatted(1)) % of the bytes"
    case .latency: value < 0.001 ? "\(value) ms" : "\(value.formatted(3)) ms"
    case .ram, .flash:
      value > 1
        ? "\(value.formatted(0)) bytes of \(rawValue)" : "\((value * 100).formatted(1)) % of the \(rawValue)"
    }
  }

  /// Two values beside each other, with as many digits as they take to be told apart.
  private func texts(_ a: Double, _ b: Double) -> (String, String) {
    guard text(a) == text(b), a != b else { return (text(a), text(b)) }
    let digits = (4...15).first { a.formatted($0) != b.formatted($0) } ?? 15
    let unit = self == .latency ? "ms" : "bytes"
    return ("\(a.formatted(digits)) \(unit)", "\(b.formatted(digits)) \(unit)")
  }

  /// The network in int8 as recipes quantize it by default, at ranges that nobody has measured: of its memory nothing
  /// depends on them, of its constants a hundredth or two, where a zero point is none. What is quantized already stays as
  /// it is.
  private static func inIntegers(_ model: Model) throws -> Model {
    guard model.activations.isEmpty else { return model }
    let assignment = try QuantizationAssignment(model.decoded()) { _, _ in
      LayerQuantization(weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    }
    let range = ActivationEncoding.affine(try ActivationQuantization(low: -1, high: 1))
    return try assignment.quantized(assignment.observed.mapValues { _ in range })
  }

  func value(of model: Model, _ context: StageContext) throws -> Double {
    switch self {
    case .bytes: return Double(try NativeFormat.byteCount(model))
    case .ram: return Double(try DeviceNeeds(Self.inIntegers(model)).arenaBytes)
    case .flash: return Double(try DeviceNeeds(Self.inIntegers(model)).constantBytes)
    case .latency:
      let session = Session(try compile(model), pool: context.pool)
      let input = Tensor(repeating: 0.5, session.plan.inputShape)
      var output = Tensor(zeros: session.plan.outputShape)
      // Other points of a sweep pause meanwhile: what they compute would decide how many filters go.
      return try context.measuring {
        try input.withElements(Float.self) { input in
          try output.withMutable(Float.self) { output in
            try LatencyMeasurement(runs: Self.latencyRuns, warmUp: 5) { _ in session.run(input: input, output: output) }
          }
        }.statistics.p50
      }
    }
  }

  /// The least share of zeros with which a model comes down to the value, in 128ths up to 127 of them: by halving.
  ///
  /// - Parameter pruned: the model with such a share of zeros.
  /// - Throws: `CompressError` when no share reaches it.
  func shareOfZeros(_ wanted: Double, _ context: StageContext, pruned: (Double) throws -> Model) throws -> Double {
    let steps = 128
    func value(_ step: Int) throws -> Double {
      try context.cancellation.check()
      return try self.value(of: pruned(Double(step) / Double(steps)), context)
    }
    var low = 0, high = steps - 1
    var least = Double.infinity
    while low < high {
      let middle = (low + high) / 2, found = try value(middle)
      least = min(least, found)
      if found <= wanted { high = middle } else { low = middle + 1 }
    }
    guard low == steps - 1 else { return Double(low) / Double(steps) }
    least = try min(least, value(low))
    guard least <= wanted else {
      let (asked, found) = texts(wanted, least)
      throw CompressError(
        "\(rawValue): \(asked) cannot be reached by zeros; with \(low) of \(steps) weights zero it is \(found)")
    }
    return Double(low) / Double(steps)
  }

  /// The channels of least score without which a model takes no more than the value: by halving, over the number that go.
  ///
  /// Bytes are exact. Of a latency what is tried are the 64ths of all channels that may go: finer steps would be noise.
  ///
  /// - Parameter wanted: bytes of any kind also as a share of the model's, up to 1.
  /// - Throws: `CompressError` when even removing all that may go does not reach it.
  func choose(
    _ wanted: Double, among selection: ChannelSelection, of model: Model, _ context: StageContext
  ) throws -> ChannelSelection.Choice {
    guard selection.count > 0 else {
      throw selection.nothingToRemove
    }
    var wanted = wanted
    if self != .latency, wanted <= 1 { wanted *= try value(of: model, context) }
    let steps = self == .latency ? min(selection.count, 64) : selection.count
    var known: [Int: (choice: ChannelSelection.Choice, value: Double)] = [:]
    func at(_ step: Int) throws -> (choice: ChannelSelection.Choice, value: Double) {
      if let known = known[step] { return known }
      try context.cancellation.check()
      let choice = selection.removing(selection.count * step / steps)
      let found = (choice, try value(of: model.removing(choice.removal, of: selection.groups), context))
      known[step] = found
      return found
    }
    var low = 0, high = steps
    while low < high {
      let middle = (low + high) / 2
      if try at(middle).value <= wanted { high = middle } else { low = middle + 1 }
    }
    let under = try at(low)
    guard under.value <= wanted else {
      let (asked, least) = texts(wanted, under.value)
      throw CompressError("\(rawValue): \(asked) cannot be reached; \(selection.keeping), and then it is \(least)")
    }
    var choice = under.choice
    let (found, asked) = texts(under.value, wanted)
    if low == 0 {
      choice.note = "\(rawValue): nothing has to go: it is \(found) where \(asked) was asked for"
    } else if under.value < 0.99 * wanted {
      let (above, _) = texts(try at(low - 1).value, wanted)
      choice.note = "\(rawValue): \(found) where \(asked) was asked for; one step less would make it \(above)"
    }
    return choice
  }
}
