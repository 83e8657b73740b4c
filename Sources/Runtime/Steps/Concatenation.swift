import Kernels

/// Inputs one after the other in each row.
struct Concatenation: Sendable {
  struct Part: Sendable {
    let rowBytes: Int
    /// Codes a quantized input anew; nil where the bytes are the same.
    let table: [UInt8]?
  }

  /// Of one sample.
  let rows: Int
  let parts: [Part]

  func run(_ step: BoundStep, _ call: Call) {
    let stride = parts.reduce(0) { $0 + $1.rowBytes }
    var column = call.pointer(step.outputs[0])
    for (index, part) in parts.enumerated() {
      let from = UnsafeRawPointer(call.pointer(step.inputs[index]))
      for row in 0..<call.batch * rows {
        let source = from + row * part.rowBytes, target = column + row * stride
        if let table = part.table {
          Elementwise.lookup(
            source.assumingMemoryBound(to: UInt8.self), output: target.assumingMemoryBound(to: UInt8.self),
            count: part.rowBytes, table: table, pool: .serial)
        } else {
          target.copyMemory(from: source, byteCount: part.rowBytes)
        }
      }
      column += part.rowBytes
    }
  }
}
