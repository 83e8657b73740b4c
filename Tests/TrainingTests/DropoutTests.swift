import Kernels
import Network
import Tensors
import Testing

@testable import Training

@Suite struct DropoutTests {
  /// What becomes of 2000 ones, and the gradient of their sum.
  private func pass(rate: Float, noise: UInt64, threads: Int = 1) throws -> (values: [Float], gradient: [Float]) {
    let graph = try built([2000]) {
      $0.pad(before: [0], after: [0])
      $0.batchNorm()
      $0.dropout(rate)
    }
    let weights = try TrainableWeights(try Model(initializing: graph, seed: 1))
    let pool = try ThreadPool(threads: threads, smallestWork: 0)
    let training = try TrainingGraph(graph, weights: weights, batchSize: 2, pool: pool)
    // The batch norm makes ±1 of it.
    for i in 0..<2000 { (training.samples[i], training.samples[2000 + i]) = (0, 2) }
    try training.forward(count: 2, .training, noise: noise)
    for i in 0..<4000 { training.scores.gradient![i] = 1 }
    try training.backward()
    let gradient = weights.parameter("batch_norm_1", .beta)!.gradient!
    return ((0..<4000).map { training.scores.data[$0] }, (0..<2000).map { gradient[$0] })
  }

  @Test func dropsItsShareAndScalesTheRest() throws {
    let (values, gradient) = try pass(rate: 0.25, noise: 3)
    let dropped = values.count { $0 == 0 }
    #expect((900...1100).contains(dropped))
    #expect(values.allSatisfy { $0 == 0 || abs(abs($0) - 4 / 3) < 0.01 })
    for i in 0..<2000 {
      let kept = Float([values[i], values[2000 + i]].count { $0 != 0 })
      #expect(abs(gradient[i] - kept * 4 / 3) < 1e-5)
    }
  }

  @Test func theSameNoiseDropsTheSame() throws {
    let first = try pass(rate: 0.5, noise: 1).values
    #expect(try pass(rate: 0.5, noise: 1, threads: 3).values == first)
    #expect(try pass(rate: 0.5, noise: 2).values != first)
  }
}
