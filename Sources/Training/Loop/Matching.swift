import Diagnostics
import Kernels
import Network

/// What a network learns where there are no labels: that values of its are what they are in a teacher.
public struct Matching: Sendable, Hashable {
  public enum Error: String, Sendable, CaseIterable { case squared, absolute }

  /// Of each value, its mean over elements and samples, relative to the mean square or magnitude of what the teacher has
  /// there, so that values of all sizes count alike.
  public var error: Error
  /// By their names, the same in network and teacher; empty for the outputs, those of a softmax or a sigmoid before it:
  /// behind it most values are next to 0 or 1, where nothing that is learned shows.
  public var values: [String]

  public init(_ error: Error = .squared, values: [String] = []) {
    self.error = error
    self.values = values
  }

  /// The names of what is matched in a network.
  ///
  /// - Throws: `CompressError` naming a value that does not exist, or is named twice.
  public func targets(in graph: Graph) throws -> [String] {
    if values.isEmpty { return graph.unsquashedOutputs }
    for (index, value) in values.enumerated() {
      guard graph.index(ofValue: value) != nil else { throw CompressError("there is no layer \"\(value)\" to match") }
      guard !values[..<index].contains(value) else { throw CompressError("\"\(value)\" is to be matched twice") }
    }
    return values
  }

  /// - Throws: `CompressError` naming a value that network and teacher have in other shapes.
  public func check(_ graph: Graph, _ teacher: Graph) throws {
    for (own, other) in zip(try targets(in: graph), try targets(in: teacher)) {
      guard graph.shape(of: own) == teacher.shape(of: other) else {
        throw CompressError(
          "\"\(own)\" has shape \(graph.shape(of: own)), in the teacher \(teacher.shape(of: other)); only what has the same "
            + "shape can be matched")
      }
    }
  }
}

/// The error of values beside those of a teacher (see `Matching`).
final class MatchingLoss {
  private let error: Matching.Error
  /// Sums over each sample and value, so that the total does not depend on who computed what: of errors and of the
  /// teacher's own.
  private let sums: FloatBuffer

  init(_ error: Matching.Error, values: Int, batchSize: Int) throws {
    self.error = error
    sums = try FloatBuffer(2 * values * batchSize)
  }

  /// The loss, and the number of samples whose greatest element of the first value is the teacher's.
  ///
  /// - Parameters:
  ///   - targets: of each sample all values of the teacher, one after the other.
  ///   - isLearning: whether the values' gradients are written.
  func evaluate(
    _ values: [Value], targets: FloatBuffer, count: Int, isLearning: Bool, pool: ThreadPool
  ) -> (loss: Double, correct: Int) {
    let width = values.reduce(0) { $0 + $1.size }, (error, sums) = (error, sums)
    var loss = 0.0, start = 0
    for (index, value) in values.enumerated() {
      let size = value.size, first = start, y = value.data.base
      pool.forRows(count, width: size) { range in
        for sample in range {
          let y = y + sample * size, t = targets.base + sample * width + first
          var distance = 0.0, own = 0.0
          for i in 0..<size {
            let difference = Double(y[i] - t[i]), target = Double(t[i])
            distance += error == .squared ? difference * difference : abs(difference)
            own += error == .squared ? target * target : abs(target)
          }
          sums[2 * (index * count + sample)] = Float(distance)
          sums[2 * (index * count + sample) + 1] = Float(own)
        }
      }
      var distance = 0.0, own = 0.0
      for sample in 0..<count {
        distance += Double(sums[2 * (index * count + sample)])
        own += Double(sums[2 * (index * count + sample) + 1])
      }
      // A teacher of zeros has no size to measure by.
      let scale = 1 / (own > 0 ? own : Double(count * size)) / Double(values.count)
      loss += distance * scale
      if isLearning, let gradient = value.gradient?.base {
        let factor = Float(scale)
        pool.forRows(count, width: size) { range in
          for sample in range {
            let y = y + sample * size, t = targets.base + sample * width + first, dy = gradient + sample * size
            for i in 0..<size {
              let difference = y[i] - t[i]
              dy[i] =
                error == .squared ? 2 * difference * factor : difference > 0 ? factor : difference < 0 ? -factor : 0
            }
          }
        }
      }
      start += size
    }
    return (loss, agreeing(values[0], targets, width, count))
  }

  private func agreeing(_ value: Value, _ targets: FloatBuffer, _ width: Int, _ count: Int) -> Int {
    func greatest(_ x: UnsafePointer<Float>) -> Int { (1..<max(1, value.size)).reduce(0) { x[$1] > x[$0] ? $1 : $0 } }
    return (0..<count).count { sample in
      greatest(value.data.base + sample * value.size) == greatest(targets.base + sample * width)
    }
  }
}
