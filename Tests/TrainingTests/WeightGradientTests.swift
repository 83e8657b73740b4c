import Datasets
import Diagnostics
import Foundation
import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct WeightGradientTests {
  @Test func agreesWithDifferencesOfTheMeanLoss() throws {
    // Smooth throughout: at the corners of a relu differences tell nothing.
    let graph = try built([8, 8, 1]) {
      $0.conv2d(filters: 4, kernel: 3, stride: 2, bias: false, name: "conv")
      $0.batchNorm(name: "norm")
      $0.activation(.sigmoid)
      $0.dropout(0.5)
      $0.conv2d(filters: 4, kernel: 2, groups: 2, name: "grouped")
      $0.flatten()
      $0.dense(4, name: "dense")
      $0.activation(.softmax)
    }
    let model = try randomModel(graph), data = barImages(70)
    let gradients = try WeightGradients(model, on: data, pool: .serial)
    #expect(gradients.mean.keys.sorted() == ["conv", "dense", "grouped"])

    var reference = Reference(model)
    reference.isTraining = false
    let images = data.images.map { Double($0) }
    let scoresName = graph[graph.output]!.inputs[0]
    func meanLoss() -> Double {
      let scores = reference.values(images, count: data.count)[scoresName]!
      return (0..<data.count).reduce(0) { sum, sample in
        let row = scores[sample * 4..<sample * 4 + 4].map { $0 }
        let largest = row.max()!
        return sum + largest + log(row.reduce(0) { $0 + exp($1 - largest) }) - row[Int(data.labels[sample])]
      } / Double(data.count)
    }
    for (layer, gradient) in gradients.mean {
      let values = gradient.array(Float.self), scale = values.map(\.magnitude).max()!
      #expect(scale > 1e-4)
      for i in stride(from: 0, to: values.count, by: max(1, values.count / 12)) {
        let value = reference.parameters[layer]![.weight]![i]
        func loss(at value: Double) -> Double {
          reference.parameters[layer]![.weight]![i] = value
          return meanLoss()
        }
        let expected = (loss(at: value + 1e-5) - loss(at: value - 1e-5)) / 2e-5
        reference.parameters[layer]![.weight]![i] = value
        #expect(abs(Double(values[i]) - expected) < 2e-4 * Double(scale), "\(layer) \(i): \(values[i]), \(expected)")
      }
    }
  }

  @Test func batchesCountByTheirSamples() throws {
    let model = try barModel(), data = barImages(70)
    let gradients = try WeightGradients(model, on: data, pool: .serial)
    let parts = try [(0, 32), (32, 64), (64, 70)].map { start, end in
      (
        Float(end - start) / 70,
        try WeightGradients(model, on: data.slice(from: start, to: end), pool: .serial)
      )
    }
    for layer in ["conv", "grouped", "depthwise", "dense"] {
      let mean = gradients.mean[layer]!.array(Float.self), square = gradients.meanSquare[layer]!.array(Float.self)
      let scale = mean.map(\.magnitude).max()!, squareScale = square.max()!
      #expect(scale > 0 && squareScale > 0)
      for i in mean.indices {
        let terms = parts.map { ($0.0, $0.1.mean[layer]!.array(Float.self)[i]) }
        #expect(abs(mean[i] - terms.reduce(0) { $0 + $1.0 * $1.1 }) <= 1e-5 * scale)
        #expect(abs(square[i] - terms.reduce(0) { $0 + $1.0 * $1.1 * $1.1 }) <= 1e-5 * squareScale)
      }
    }
  }

  @Test func threadsAndWhatItIsAskedOfChangeNothing() throws {
    let model = try barModel(), data = barImages(70), before = bytes(model)
    let one = try WeightGradients(model, on: data, pool: .serial)
    let three = try WeightGradients(model, on: data, pool: ThreadPool(threads: 3, smallestWork: 0))
    for layer in one.mean.keys {
      #expect(one.mean[layer]!.array(Float.self) == three.mean[layer]!.array(Float.self))
      #expect(one.meanSquare[layer]!.array(Float.self) == three.meanSquare[layer]!.array(Float.self))
    }
    #expect(bytes(model) == before)
  }

  @Test func mistakesAreNamed() throws {
    func message(_ data: any Dataset, _ model: Model) -> String {
      do {
        _ = try WeightGradients(model, on: data, pool: .serial)
        return ""
      } catch { return "\(error)" }
    }
    #expect(try message(barImages(70).taking(0), barModel()).contains("no samples"))
    #expect(try message(barImages(3), randomModel(built([5]) { $0.dense(4) })).contains("[8, 8, 1]"))
    var broken = try barModel()
    let weight = broken["dense", .weight]!.values
    try broken.set(Parameter(weight.applying(.mul, Float.greatestFiniteMagnitude)), "dense", .weight)
    #expect(message(barImages(40), broken).contains("is not finite"))
  }
}
