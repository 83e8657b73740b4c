import Datasets
import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct EntropyPenaltyTests {
  private let pool: ThreadPool

  init() throws { pool = try ThreadPool(threads: 2, smallestWork: 0) }

  /// The estimate that the penalty is the slope of, all layers together, in the mean over weights.
  private func estimate(_ values: [[Float]], tables: [[Double]], steps: [[Float]]) -> Double {
    var sum = 0.0, count = 0
    for (layer, values) in values.enumerated() {
      let width = values.count / steps[layer].count
      for (i, value) in values.enumerated() {
        let place = Double(abs(value) / steps[layer][i / width]), low = Int(place)
        sum += tables[layer][low] + (place - Double(low)) * (tables[layer][low + 1] - tables[layer][low])
        count += 1
      }
    }
    return sum / Double(count)
  }

  /// Gradients are the estimate's slopes, with frequencies as they are: by differences, weight by weight.
  @Test(arguments: [false, true]) func gradientsAreSlopes(_ isRounded: Bool) throws {
    let model = try barModel()
    var quantization = FakeQuantization()
    if isRounded {
      for layer in model.weightLayers {
        let filters = model[layer, .weight]!.shape[0]
        quantization.weights[layer] = .init(bits: 4, scales: (0..<filters).map { 0.05 + 0.01 * Float($0) })
      }
    }
    let weights = try TrainableWeights(model, quantization: quantization)
    EntropyPenalty(price: 0.5).addGradients(weights, pool: pool)
    let layers = model.weightLayers.map { weights.parameter($0, .weight)! }
    let values = layers.map { layer in (0..<layer.values.count).map { layer.values[$0] } }
    let steps = layers.enumerated().map { index, layer -> [Float] in
      quantization.weights[layer.layer]?.scales ?? [values[index].map { abs($0) }.max()! / Float(EntropyPenalty.levels)]
    }
    let tables = zip(layers, steps).map { EntropyPenalty.bits($0.values, $1) }
    var compared = 0
    for (layer, parameter) in layers.enumerated() {
      for i in stride(from: 0, to: values[layer].count, by: 7) {
        let step = steps[layer][i / (values[layer].count / steps[layer].count)], place = abs(values[layer][i]) / step
        // Not over a corner of the line.
        guard place - place.rounded(.down) > 0.02, place.rounded(.up) - place > 0.02 else { continue }
        var more = values, less = values
        more[layer][i] += 0.01 * step
        less[layer][i] -= 0.01 * step
        let slope =
          (estimate(more, tables: tables, steps: steps) - estimate(less, tables: tables, steps: steps))
          / Double(more[layer][i] - less[layer][i])
        let found = Double(parameter.gradient![i])
        #expect(abs(found - 0.5 * slope) < 1e-3 * abs(found) + 1e-7, "\(found), \(0.5 * slope)")
        compared += 1
      }
    }
    #expect(compared > 25, "\(compared)")
  }

  /// Levels take what their shares say; what lies between two belongs to both.
  @Test func bitsFollowFrequencies() throws {
    let values = try FloatBuffer(Tensor([0, 0, 0, 0, 1, -1, 1.5, -0.25] as [Float]))
    let bits = EntropyPenalty.bits(values, [1])
    // Zero: 4 and three quarters; one: 2, half and a quarter; two: half.
    #expect(abs(bits[0] - 0.75) < 0.3 && abs(bits[1] - (1 + 1.54)) < 0.3 && abs(bits[2] - 5) < 0.4, "\(bits.prefix(3))")
    #expect(bits[3] > bits[2] + 3 && bits[3] == bits[127])
  }

  /// Trained with it a network does as well in fewer bits, and zeros under a mask stay.
  @Test func weightsComeToTakeLess() throws {
    func trained(_ entropy: Double, threads: Int = 2) throws -> Model {
      var options = TrainingOptions(epochs: 12, batchSize: 16, learningRate: .constant(0.01))
      options.entropy = entropy
      return try Trainer(
        model: barModel(), options: options, data: barImages(400), pool: ThreadPool(threads: threads, smallestWork: 0)
      ).run().model
    }
    func bits(_ model: Model) throws -> Double {
      try model.weightLayers.reduce(0) { sum, layer in
        let weight = model[layer, .weight]!.values, floats = weight.array(Float.self)
        let values = try FloatBuffer(weight)
        let step = floats.map { abs($0) }.max()! / Float(EntropyPenalty.levels)
        let table = EntropyPenalty.bits(values, [step])
        return sum + floats.reduce(0.0) { $0 + table[Int((abs($1) / step).rounded())] }
      }
    }
    let plain = try trained(0), few = try trained(0.2)
    let before = try bits(plain), after = try bits(few)
    #expect(after < 0.8 * before, "\(after) of \(before)")
    #expect(try accuracy(few, barImages(300, seed: 99), pool: pool) >= 0.95)
    #expect(try bytes(trained(0.2, threads: 3)) == bytes(few))
    var options = TrainingOptions()
    options.entropy = -1
    #expect(throws: (any Error).self) { try options.validate() }
  }
}
