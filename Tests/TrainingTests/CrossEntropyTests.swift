import Kernels
import Tensors
import Testing

@testable import Training

@Suite struct CrossEntropyTests {
  private func evaluate(
    _ scores: [[Float]], _ labels: [Int32]
  ) throws -> (loss: Double, correct: Int, gradient: [Float]) {
    let count = scores.count
    let value = try Value([scores[0].count], batchSize: count, needsGradient: true)
    for (i, score) in scores.joined().enumerated() { value.data[i] = score }
    let result = try CrossEntropy(batchSize: count).evaluate(
      value, labels: labels, pool: ThreadPool(threads: 2, smallestWork: 0))
    return (result.loss, result.correct, value.gradient!.tensor([value.gradient!.count]).array())
  }

  @Test func equalScores() throws {
    let result = try evaluate([[0, 0, 0, 0]], [2])
    #expect(abs(result.loss - 1.3862944) < 1e-6)  // log 4
    #expect(result.gradient == [0.25, 0.25, -0.75, 0.25])
  }

  @Test func meanOverTheBatch() throws {
    // Probabilities of the labels: 3/4 and 1/4.
    let log3: Float = 1.0986123
    let result = try evaluate([[log3, 0], [log3, 0]], [0, 1])
    #expect(abs(result.loss - 0.8369882) < 1e-6)
    #expect(result.correct == 1)
    for (got, expected) in zip(result.gradient, [-0.125, 0.125, 0.375, -0.375] as [Float]) {
      #expect(abs(got - expected) < 1e-6)
    }
  }

  @Test func largeScoresDoNotOverflow() throws {
    let result = try evaluate([[1000, -1000], [1000, -1000]], [0, 1])
    #expect(result.loss == 1000)
    #expect(result.gradient == [0, 0, 0.5, -0.5])
  }

  @Test func whatIsNoNumberIsSeen() throws {
    #expect(try !evaluate([[.nan, 0]], [1]).loss.isFinite)
    #expect(try !evaluate([[0, .nan]], [0]).loss.isFinite)
    #expect(try !evaluate([[.infinity, 0]], [0]).loss.isFinite)
  }
}
