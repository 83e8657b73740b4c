import Foundation
import Testing

@testable import Tensors

private func reference(_ reduction: Reduction, _ values: [Float]) -> Double {
  let wide = values.map(Double.init)
  let mean = wide.reduce(0, +) / Double(wide.count)
  switch reduction {
  case .sum: return wide.reduce(0, +)
  case .mean: return mean
  case .variance: return wide.reduce(0) { $0 + pow($1 - mean, 2) } / Double(wide.count)
  case .min: return wide.min()!
  case .max: return wide.max()!
  case .argmin: return Double(wide.firstIndex(of: wide.min()!)!)
  case .argmax: return Double(wide.firstIndex(of: wide.max()!)!)
  case .l1: return wide.reduce(0) { $0 + abs($1) }
  case .l2: return sqrt(wide.reduce(0) { $0 + $1 * $1 })
  case .nonzero: return Double(wide.filter { $0 != 0 }.count)
  }
}

private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-6 * max(1, abs(b)) }

@Suite struct ReductionTests {
  @Test(arguments: Reduction.allCases) func everyAxis(_ reduction: Reduction) throws {
    for tensor in try awkwardTensors() where tensor.count > 0 {
      #expect(close(try tensor.value(reduction), reference(reduction, tensor.array())))
      let all = try tensor.reduced(reduction)
      #expect(all.shape == [])
      for mask in 0..<(1 << tensor.rank) {
        let axes = (0..<tensor.rank).filter { mask >> $0 & 1 == 1 }
        let result = try tensor.reduced(reduction, axes: axes)
        let kept = try tensor.reduced(reduction, axes: axes, keepDims: true)
        #expect(kept.shape.dims == tensor.shape.dims.enumerated().map { axes.contains($0) ? 1 : $1 })
        #expect(result.array64 == kept.array64)
        var groups: [[Int]: [Float]] = [:]
        for index in indices(tensor.shape) {
          let key = index.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
          groups[key, default: []].append(element(tensor, index))
        }
        for (position, index) in indices(result.shape).enumerated() {
          #expect(close(result.array64[position], reference(reduction, groups[index]!)))
        }
      }
    }
  }

  @Test func axesAreChecked() throws {
    let tensor = Tensor(zeros: [2, 3])
    #expect(try tensor.reduced(.sum, axes: [-1]).shape == [2])
    #expect(message { _ = try tensor.reduced(.sum, axes: [2]) } == "axis 3 is outside a tensor of shape [2, 3]")
    #expect(message { _ = try tensor.reduced(.sum, axes: [1, -1]) } == "axes [2, 2] name one twice")
  }

  @Test func emptyTensors() throws {
    let empty = Tensor(zeros: [2, 0])
    #expect(try empty.value(.sum) == 0 && empty.value(.l2) == 0 && empty.value(.nonzero) == 0)
    #expect(try empty.reduced(.sum, axes: [1]).array() == [0, 0] as [Float])
    #expect(try empty.reduced(.max, axes: [0]).shape == [0])
    #expect(message { _ = try empty.reduced(.max, axes: [1]) } == "max over no elements: axes [2] of shape [2, 0]")
    for reduction in [Reduction.mean, .variance, .min, .argmax] {
      #expect(throws: (any Error).self) { try empty.value(reduction) }
    }
  }

  @Test func nanIsTheExtreme() throws {
    let values = Tensor([1, .nan, -5] as [Float])
    #expect(try values.value(.min).isNaN && values.value(.max).isNaN && values.value(.argmin) == 1)
    #expect(try Tensor([2, -.infinity, .infinity] as [Float]).value(.argmin) == 1)
    #expect(try Tensor([3, 1, 1, 3] as [Float]).value(.argmax) == 0)
  }

  @Test func sumsAreAccumulatedInDoublePrecision() throws {
    // In float32 every 1 after 2^24 would be lost.
    let values = Tensor([16_777_216] + [Float](repeating: 1, count: 1000))
    #expect(try values.value(.sum) == 16_778_216)
    #expect(try Tensor(repeating: 3e38, [10]).value(.l2).isFinite)
  }

  @Test func nonFiniteValuesAreFound() throws {
    #expect(Tensor([1, 2] as [Float]).firstNonFinite == nil)
    #expect(Tensor([1, .infinity, .nan] as [Float]).firstNonFinite! == (1, .infinity))
    #expect(Tensor([0, 1, .nan] as [Float]).converted(to: .float16).firstNonFinite?.index == 2)
    #expect(Tensor([1] as [Int32]).firstNonFinite == nil)
  }

  @Test func histograms() throws {
    var histogram = try Histogram(bins: 4, low: 0, high: 2)
    histogram.add(Tensor([0, 0.49, 0.5, 1.99, 2, -0.1, 2.1, .nan, .infinity] as [Float]))
    histogram.add(Tensor([1] as [Int8]))
    #expect(histogram.counts == [2, 1, 1, 2] && histogram.outside == 4)
    var wide = try Histogram(bins: 3, low: -.greatestFiniteMagnitude, high: .greatestFiniteMagnitude)
    wide.add(Tensor([-3e38, 0, .greatestFiniteMagnitude] as [Float]))
    #expect(wide.counts == [1, 1, 1])
    for (bins, low, high) in [(0, 0, 1), (70_000, 0, 1), (4, 1, 1), (4, 2, 1), (4, .nan, 1), (4, 0, .infinity)]
      as [(Int, Float, Float)]
    {
      #expect(throws: (any Error).self) { try Histogram(bins: bins, low: low, high: high) }
    }
  }
}

extension Tensor {
  fileprivate var array64: [Double] {
    dtype == .int64 ? array(Int64.self).map(Double.init) : array(Float.self).map(Double.init)
  }
}
