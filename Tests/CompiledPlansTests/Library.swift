import CCompress
import CompiledPlans
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// libcompress, as a program in C uses it.
enum Library {
  /// An open model and what closes it.
  final class Model {
    let pointer: OpaquePointer
    /// At a multiple of 64, so that the library does not copy it.
    private let memory: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) throws {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
      memory.copyBytes(from: bytes)
      var error = compress_error()
      guard let opened = compress_open_memory(memory.baseAddress, bytes.count, &error) else {
        memory.deallocate()
        throw CompressError("\(error.status.rawValue) \(Library.text(error))")
      }
      self.memory = memory
      pointer = opened
    }

    deinit {
      compress_close(pointer)
      memory.deallocate()
    }

    var inputs: [compress_value] { (0..<compress_input_count(pointer)).map { compress_input(pointer, $0).pointee } }
    var outputs: [compress_value] { (0..<compress_output_count(pointer)).map { compress_output(pointer, $0).pointee } }

    /// Runs samples, each with all inputs one after the other, as a session takes and gives them.
    func run(_ samples: [Float], count: Int, threads: Int = 1) throws -> [Float] {
      var error = compress_error()
      guard let session = compress_session_create(pointer, threads, count, &error) else {
        throw CompressError(Library.text(error))
      }
      defer { compress_session_close(session) }
      let sizes = inputs.map(\.count) + outputs.map(\.count)
      let memory = sizes.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: $0 * count) }
      defer { for part in memory { part.deallocate() } }
      for part in memory { part.initialize(repeating: .nan) }
      Library.each(sizes.prefix(inputs.count), count: count) { port, place, all in
        memory[port][place] = samples[all]
      }
      let from = memory.prefix(inputs.count).map { UnsafePointer($0.baseAddress) }
      let to = memory.suffix(outputs.count).map(\.baseAddress)
      let status = compress_run(session, from, to, count, &error)
      guard status == COMPRESS_OK else { throw CompressError(Library.text(error)) }
      var results = [Float](repeating: 0, count: outputs.reduce(0) { $0 + $1.count } * count)
      Library.each(sizes.suffix(outputs.count), count: count) { port, place, all in
        results[all] = memory[inputs.count + port][place]
      }
      return results
    }
  }

  static func text(_ error: compress_error) -> String {
    withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Places of elements: in a port's own memory, sample after sample, and where each sample has all ports' together.
  private static func each(
    _ sizes: ArraySlice<Int>, count: Int, _ body: (_ port: Int, _ place: Int, _ all: Int) -> Void
  ) {
    let width = sizes.reduce(0, +)
    var first = 0
    for (port, size) in sizes.enumerated() {
      for place in 0..<size * count { body(port, place, place / size * width + first + place % size) }
      first += size
    }
  }
}

extension Network.Model {
  /// The same with int8 weights of one scale, and every value quantized.
  func quantizedAsIs(low: Float = -1.5, high: Float = 2) throws -> Network.Model {
    var quantized = self
    for layer in weightLayers {
      let weight = self[layer, .weight]!.values.array(Float.self)
      let scale = max(weight.map(abs).max() ?? 0, 1e-3) / 127
      let integers = Tensor(weight.map { Int8(($0 / scale).rounded()) }, self[layer, .weight]!.shape)
      try quantized.set(Parameter(.integer(IntegerValues(values: integers, scales: [scale], bits: 8))), layer, .weight)
    }
    for value in graph.values {
      try quantized.setActivation(ActivationQuantization(low: low, high: high), of: value)
    }
    return quantized
  }

  /// The same with all but every so-many-th group of four weights zero.
  func thinned(_ step: Int) throws -> Network.Model {
    var thinned = self
    for layer in weightLayers {
      let weight = self[layer, .weight]!.values
      let values = weight.array(Float.self).enumerated().map { $0 / 4 % step == 0 ? $1 : 0 }
      try thinned.set(Parameter(Tensor(values, weight.shape)), layer, .weight)
    }
    return thinned
  }
}
