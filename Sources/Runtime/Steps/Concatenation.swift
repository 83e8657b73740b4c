import CKernels
import Kernels
import Network
import Tensors

extension PreparedStep {
  /// Inputs one after the other in each row: what has the same place on the axes before the one they are joined along.
  static func concatenation(
    _ concat: Concat, _ coding: IntegerCoding?, _ inputs: [Program.Value], _ output: Shape
  ) -> PreparedStep {
    let axis = concat.axis(rank: output.rank), element = coding == nil ? 4 : 1
    let inner = output.dims[(axis + 1)...].reduce(1, *)
    var places = ConstantLayout()
    _ = places.add(bytes: inputs.count * MemoryLayout<ck_concat_part>.stride)
    var tables: [(offset: Int, table: [UInt8])] = []
    let parts = inputs.enumerated().map { index, input in
      var part = ck_concat_part(bytes: UInt64(input.shape[axis] * inner * element), table: 0)
      if let table = coding?.table(of: index) {
        tables.append((places.add(bytes: table.count), table))
        part.table = UInt64(tables.last!.offset)
      }
      return part
    }
    let constants = OwnedMemory(byteCount: places.byteCount)
    constants.store(parts, at: 0)
    for (offset, table) in tables { constants.store(table, at: offset) }
    let step = ck_concat(
      parts: parts.count, rows: output.dims[..<axis].reduce(1, *), row_bytes: output[axis] * inner * element)
    return PreparedStep("concat", step, constants: constants, run: ck_run_concat)
  }
}
