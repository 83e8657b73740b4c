import Network
import Tensors

@testable import Formats

/// Keeps bytes for a file that is read from memory; they never change.
private final class Bytes: @unchecked Sendable {
  let memory: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    memory = .allocate(byteCount: max(bytes.count, 1), alignment: 1)
    memory.copyBytes(from: bytes)
  }

  deinit { memory.deallocate() }
}

func safeTensorsFile(_ bytes: [UInt8]) throws -> SafeTensorsFile {
  let owner = Bytes(bytes)
  return try SafeTensorsFile(UnsafeRawBufferPointer(start: owner.memory.baseAddress, count: bytes.count), owner: owner)
}

func safeTensorsBytes(header: String, data: [UInt8] = []) -> [UInt8] {
  NativeFormat.littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// A convolution with batch norm, a flattened image before a dense layer, and a float16 weight.
func fileNetwork() throws -> Model {
  var net = GraphBuilder(input: [3, 4, 2])
  net.conv2d(filters: 3, kernel: 2, groups: 1, name: "stem.0")
  net.batchNorm(name: "stem.1")
  net.activation(.relu)
  net.flatten()
  net.dropout(0.5)
  net.dense(4, name: "fc")
  var model = try Model(initializing: net.graph(), seed: 3)
  var random = SeededRandom(seed: 4)
  for (layer, role, parameter) in model.allParameters {
    try model.set(Parameter(Tensor(normal: parameter.shape, using: &random)), layer, role)
  }
  return model
}
