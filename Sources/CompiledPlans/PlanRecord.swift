import CCompress
import CKernels
import Diagnostics
import Kernels
import Runtime

/// A plan as records of the file, but for where its constants and its records lie.
struct PlanRecord {
  private var native = cx_plan()
  private var steps: [cx_step] = []
  private let valueBytes: [UInt64]
  private let ports, operands: [UInt32]

  /// - Throws: `CompressError` naming the layer whose step the library would refuse.
  init(_ plan: Plan, _ head: inout HeadBytes, _ constants: inout ConstantBlocks) throws {
    var operands: [UInt32] = []
    for step in plan.steps {
      var record = cx_step()
      withUnsafeMutableBytes(of: &record.kernel) { $0.copyBytes(from: step.kernelName.utf8) }
      record.layer = head.text(step.layer)
      record.first_operand = UInt32(operands.count)
      (record.inputs, record.outputs) = (UInt32(step.inputs.count), UInt32(step.outputs.count))
      operands += (step.inputs + step.outputs).map { UInt32($0) }
      let content = try step.checkedStruct(plan)
      record.struct_bytes = UInt32(content.count * 8)
      record.struct_offset = content.withUnsafeBytes { head.raw($0) }
      if let block = step.kernel.constants {
        record.constants = UInt64(constants.add(block))
        record.constant_bytes = UInt64(block.byteCount)
      }
      steps.append(record)
    }
    valueBytes = plan.valueBytes.map { UInt64($0) }
    ports = (plan.inputs + plan.outputs).map { UInt32($0) }
    self.operands = operands
    native.isa = plan.machine.isa.native.rawValue
    (native.steps, native.values) = (UInt32(steps.count), UInt32(valueBytes.count))
    native.operands = UInt32(operands.count)
    native.second_level_bytes = UInt64(plan.machine.secondLevelBytes)
  }

  /// Bytes that the records of some plans take at most.
  static func bytes(of plans: [PlanRecord]) -> Int {
    plans.reduce(8) { sum, plan in
      sum + MemoryLayout<cx_plan>.stride + plan.steps.count * MemoryLayout<cx_step>.stride + plan.valueBytes.count * 8
        + (plan.ports.count + plan.operands.count) * 4 + 4 * 8
    }
  }

  /// Adds the records to the head, the constants beginning at a byte of the file.
  ///
  /// - Returns: where the list of plans begins.
  static func write(_ plans: [PlanRecord], constantsBegin: Int, to head: inout HeadBytes) -> UInt32 {
    let natives = plans.map { plan in
      var native = plan.native
      native.step_records = head.records(
        plan.steps.map { step in
          var step = step
          step.constants += UInt64(constantsBegin)
          return step
        })
      native.value_bytes = head.records(plan.valueBytes)
      native.port_list = head.records(plan.ports)
      native.operand_list = head.records(plan.operands)
      return native
    }
    return head.records(natives)
  }
}

extension Plan.Step {
  /// The bytes of its struct, those between fields being zero.
  ///
  /// - Throws: `CompressError` with what the library would say of it: what is written can be run.
  fileprivate func checkedStruct(_ plan: Plan) throws -> [UInt64] {
    guard let kind = ck_step_kind_named(kernelName) else { preconditionFailure("no kernel \(kernelName)") }
    var content = [UInt64](repeating: 0, count: kind.pointee.bytes / 8)
    precondition(content.count * 8 == kind.pointee.bytes && kind.pointee.bytes <= kernel.descriptor.byteCount)
    content.withUnsafeMutableBytes {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: kernel.descriptor.base, count: $0.count))
      ck_clear_gaps(kind, $0.baseAddress)
    }
    if let wrong = kernel.fault(
      inputs: inputs.map { plan.valueBytes[$0] }, outputs: outputs.map { plan.valueBytes[$0] }, on: plan.machine.isa)
    {
      throw CompressError("\(kernelName) cannot be compiled: \(wrong)").at(layer: layer)
    }
    return content
  }
}
