import Kernels
import Tensors
import Testing

@testable import Training

@Suite struct CrossEntropyTests {
  private func evaluate(
    _ scores: [[Float]], _ labels: [Int32], smoothing: Double = 0, distillation: Distillation? = nil,
    teacher: [[Float]] = []
  ) throws -> (loss: Double, correct: Int, gradient: [Float]) {
    let count = scores.count, classes = scores[0].count
    let value = try Value([classes], batchSize: count, needsGradient: true)
    let memory = try FloatBuffer(3 * count * classes)
    value.dataSlot.place(at: 0, of: memory)
    value.gradientSlot!.place(at: count * classes, of: memory)
    let taught = FloatBuffer(count * classes, at: 2 * count * classes, of: memory)
    for (i, score) in teacher.joined().enumerated() { taught[i] = score }
    for (i, score) in scores.joined().enumerated() { value.data[i] = score }
    let loss = try CrossEntropy(
      batchSize: count, classes: classes, smoothing: smoothing, distillation: distillation)
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    let result = loss.evaluate(value, labels: labels, teacher: taught, pool: pool)
    if smoothing == 0, distillation == nil, result.loss.isFinite {
      let measured = loss.measure(value, labels: labels, pool: pool)
      #expect(abs(measured.loss - result.loss) <= 1e-6 * max(1, result.loss) && measured.correct == result.correct)
    }
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

  @Test func smoothing() throws {
    // Two equal scores: the target does not matter to the loss, but to the gradient.
    let even = try evaluate([[0, 0]], [1], smoothing: 0.5)
    #expect(abs(even.loss - 0.6931472) < 1e-6)
    #expect(even.gradient == [0.25, -0.25])
    let (gradient, numeric) = try gradients([[0.3, -1, 2], [1, 1.5, -0.5]], [1, 0], smoothing: 0.2)
    for (a, b) in zip(gradient, numeric) { #expect(abs(a - b) < 2e-3) }
  }

  @Test func distillation() throws {
    let scores: [[Float]] = [[0.3, -1, 2], [1, 1.5, -0.5]], teacher: [[Float]] = [[2, 1, -1], [0, 0.5, 4]]
    let (gradient, numeric) = try gradients(
      scores, [1, 0], smoothing: 0.1, distillation: Distillation(temperature: 3, weight: 0.7), teacher: teacher)
    for (a, b) in zip(gradient, numeric) { #expect(abs(a - b) < 2e-3) }
    // A student who says what the teacher says has nothing to learn from it.
    let same = try evaluate(
      scores, [1, 0], distillation: Distillation(temperature: 2, weight: 1), teacher: scores)
    #expect(abs(same.loss) < 1e-6 && same.gradient.allSatisfy { abs($0) < 1e-6 })
    // By hand, one sample, temperature 2: q = (3/4, 1/4), p = (1/2, 1/2); T² KL = 4 (3/4 log 3/2 + 1/4 log 1/2).
    let hand = try evaluate(
      [[0, 0]], [0], distillation: Distillation(temperature: 2, weight: 1), teacher: [[2 * 1.0986123, 0]])
    #expect(abs(hand.loss - 0.5232481) < 1e-5)
    for (got, expected) in zip(hand.gradient, [-0.5, 0.5] as [Float]) { #expect(abs(got - expected) < 1e-6) }
    // Without weight the teacher is not heard.
    let unheard = try evaluate(
      scores, [1, 0], distillation: Distillation(temperature: 2, weight: 0), teacher: teacher)
    #expect(try unheard.gradient == evaluate(scores, [1, 0]).gradient)
  }

  /// The gradient, and by central differences of the loss.
  private func gradients(
    _ scores: [[Float]], _ labels: [Int32], smoothing: Double = 0, distillation: Distillation? = nil,
    teacher: [[Float]] = []
  ) throws -> ([Float], [Float]) {
    func loss(_ scores: [[Float]]) throws -> Double {
      try evaluate(scores, labels, smoothing: smoothing, distillation: distillation, teacher: teacher).loss
    }
    let step: Float = 1e-2
    var numeric: [Float] = []
    for sample in scores.indices {
      for i in scores[sample].indices {
        var up = scores, down = scores
        up[sample][i] += step
        down[sample][i] -= step
        numeric.append(Float(try loss(up) - loss(down)) / (2 * step))
      }
    }
    let result = try evaluate(
      scores, labels, smoothing: smoothing, distillation: distillation, teacher: teacher)
    return (result.gradient, numeric)
  }
}
