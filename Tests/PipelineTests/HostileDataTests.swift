import Compression
import Datasets
import Diagnostics
import Foundation
import Network
import Pipeline
import Runtime
import Tensors
import TestSupport
import Testing

private let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil

/// Random networks, quantized by every recipe, calibrated on data that calibration was not made for.
@Suite struct HostileDataTests {
  /// What the samples of a data set consist of.
  enum Kind: String, CaseIterable {
    case noise, oneSample, zeros, constant, twoLevels, eightLevels, tiny, huge, mostlyZeros, oneBright, nan, infinity

    var isBroken: Bool { self == .nan || self == .infinity }

    func value(_ random: inout SeededRandom, sample: Int, element: Int) -> Float {
      switch self {
      case .noise, .oneSample: Float(random.normal())
      case .zeros: 0
      case .constant: 0.37
      case .twoLevels: Float(random.below(2))
      case .eightLevels: Float(random.below(8)) / 8
      case .tiny: 1e-30 * Float(random.normal())
      case .huge: sample == 2 && element == 0 ? 1e20 : Float(random.normal())
      case .mostlyZeros: random.below(50) == 0 ? Float(random.normal()) : 0
      case .oneBright: sample == 0 && element == 0 ? 1000 : Float(random.uniform())
      case .nan: sample == 2 && element == 0 ? .nan : Float(random.normal())
      case .infinity: sample == 2 && element == 0 ? -.infinity : Float(random.normal())
      }
    }
  }

  struct Hostile: Dataset {
    let kind: Kind
    let sampleShape: Shape
    let classCount: Int
    var name: String { "hostile" }
    var count: Int { kind == .oneSample ? 1 : 4 }
    var identity: DatasetIdentity { DatasetIdentity(.recipe("hostile \(kind)")) }

    func read(
      _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
    ) throws {
      for (k, index) in indices.enumerated() {
        var random = SeededRandom(seed: UInt64(index))
        for i in 0..<sampleShape.count {
          images[k * sampleShape.count + i] = kind.value(&random, sample: index, element: i)
        }
        labels[k] = Int32(index % classCount)
      }
    }
  }

  private static let dynamicRange = LayerQuantization(weights: .integer(bits: 8, granularity: .channel))

  /// Signal over noise in decibels, of what one model gives beside another; nil where the first gives what is no number.
  private static func quality(_ model: Model, beside float: Model, on samples: Tensor) throws -> Double? {
    func run(_ model: Model) throws -> [Float] {
      try Session(compile(model, CompileOptions(maxBatch: samples.shape[0]))).run(samples).array()
    }
    let expected = try run(float), found = try run(model)
    guard expected.allSatisfy(\.isFinite) else { return nil }
    guard found.allSatisfy(\.isFinite) else { return -.infinity }
    var signal = 0.0, noise = 0.0
    for (a, b) in zip(expected, found) {
      signal += Double(a) * Double(a)
      noise += (Double(a) - Double(b)) * (Double(a) - Double(b))
    }
    return noise == 0 ? 200 : min(200, 10 * log10(max(signal, 1e-300) / noise))
  }

  /// All networks with all data in `make soak`; otherwise each network with two kinds of data.
  @Test(arguments: 0..<(isSoak ? 100 : 12)) func quantizesOrSaysWhatIsWrong(_ seed: Int) throws {
    var networks = RandomNetworks(seed)
    let graph = try networks.graph(layers: 2 + seed % 5, batchNorm: false), model = try networks.model(graph)
    let classes = graph.outputShape.count
    let kinds = Kind.allCases.enumerated().filter { isSoak || ($0.offset + seed) % 6 == 0 }.map(\.element)
    for kind in kinds {
      let data = Hostile(kind: kind, sampleShape: graph.inputShape, classCount: classes)
      let samples = try data.batch(0..<data.count).images
      let usual = try quantized(model, by: Self.dynamicRange, data)
      let dynamic = kind.isBroken ? nil : try Self.quality(usual.model, beside: model, on: samples)
      for recipe in RecipeTableTests.recipes {
        let what = "\(recipe.name), \(kind), network \(seed)"
        do {
          let result = try quantized(model, by: recipe.layer, data)
          if kind.isBroken {
            #expect(recipe.layer.activations == nil && !recipe.layer.learnsFromData, "\(what): took what is no number")
            continue
          }
          let found = try Self.quality(result.model, beside: model, on: samples)
          guard let found, let dynamic, recipe.name.hasPrefix("int8") else { continue }
          let isTold = (result.record.warnings ?? []).contains { $0.contains("with dynamic_range") }
          #expect(found >= min(dynamic, 36) - 6 || isTold, "\(what): \(found) dB, dynamic range \(dynamic) dB, and nothing said")
        } catch let error as CompressError {
          #expect(kind.isBroken || kind == .huge, "\(what): \(error)")
          #expect("\(error)".contains("hostile") && "\(error)".contains("sample"), "\(what): \(error)")
        }
      }
    }
  }

  private func quantized(_ model: Model, by layer: LayerQuantization, _ data: Hostile) throws -> StageResult {
    try QuantizeStage(Uniform(choice: layer), calibration: data).run(inputs: [model], context: context(threads: 1))
  }
}

extension LayerQuantization {
  /// Whether samples are asked for, besides those that ranges of activations are taken from.
  fileprivate var learnsFromData: Bool { if case .integer(_, _, _, _, .learned) = weights { true } else { correctsBias } }
}
