import CCompress
import CKernels
import Diagnostics
import Files
import Kernels
import Network
import Runtime
import Tensors

/// A model compiled for some instruction sets, as a file that libcompress opens and runs (docs/compiled-plan.md).
public struct CompiledPlanFile {
  public static let fileExtension = "cmpx"

  /// Whether a name asks for a compiled plan.
  public static func isName(_ name: String) -> Bool {
    name.hasSuffix("." + fileExtension) && name.utf8.count > fileExtension.utf8.count + 1
  }

  private let head: [UInt8]
  private let constants: ConstantBlocks
  private let machines: [Machine]

  /// - Parameter maxBatch: samples at once that kernels are chosen for; sessions may have more.
  /// - Throws: `CompressError` naming the layer that cannot be compiled.
  public init(_ model: Model, for machines: [Machine], maxBatch: Int = 1, isExact: Bool = false) throws {
    var head = HeadBytes(), constants = ConstantBlocks(), records: [PlanRecord] = []
    for machine in machines {
      let plan = try compile(model, CompileOptions(maxBatch: maxBatch, machine: machine, isExact: isExact))
      records.append(try PlanRecord(plan, &head, &constants))
    }
    var native = cx_head()
    withUnsafeMutableBytes(of: &native.magic) { $0.copyBytes(from: Self.magic) }
    native.version = UInt32(CX_VERSION)
    native.steps_version = UInt32(CK_STEPS_VERSION)
    native.constants_checksum = constants.checksum
    native.file_bytes = UInt64(constants.byteCount)
    let graph = model.graph, classes = (model.signature.classes ?? []).map { head.text($0) }
    let values = model.values(&head)
    (native.inputs, native.outputs) = (UInt32(graph.inputs.count), UInt32(graph.outputs.count))
    native.value_records = head.records(values)
    native.classes = UInt32(classes.count)
    native.class_records = head.records(classes)
    if let preprocessing = model.signature.preprocessing {
      native.preprocessing_record = head.records([cx_preprocessing(preprocessing)])
    }
    // Where constants lie is known once the head's length is: records come last, and are as long whatever they say.
    native.plans = UInt32(records.count)
    let rest = PlanRecord.bytes(of: records)
    let constantsBegin = (head.bytes.count + 8 + rest + Int(CX_ALIGNMENT) - 1) / Int(CX_ALIGNMENT) * Int(CX_ALIGNMENT)
    native.plan_records = PlanRecord.write(records, constantsBegin: constantsBegin, to: &head)
    self.head = head.finished(native, length: constantsBegin)
    self.constants = constants
    self.machines = machines
  }

  private static let magic: [UInt8] = [0x89] + Array("CMX\r\n\u{1A}\n".utf8)

  /// A sentence on what it holds, for people.
  public var summary: String {
    "compiled for \(machines.map(\.isa.rawValue).joined(separator: ", ")): "
      + "\(Counts.bytes(constants.byteCount)) of weights and tables, \(Counts.bytes(head.count)) beside them"
  }

  public var byteCount: Int { head.count + constants.byteCount }

  /// The whole file, for tests and for who keeps it in memory.
  public var bytes: [UInt8] {
    constants.blocks.reduce(into: head) {
      $0 += UnsafeRawBufferPointer(start: $1.base, count: $1.byteCount)
    }
  }

  /// Writes the file, which appears whole or not at all.
  ///
  /// - Returns: its bytes.
  /// - Throws: `CompressError` of kind `.limit` when they are more than `limit`; with the path when the system refuses.
  @discardableResult
  public func write(to path: String, limit: Int = .max) throws -> Int {
    guard byteCount <= limit else {
      throw CompressError("it takes \(byteCount) bytes, more than the \(limit) bytes there are for it", kind: .limit)
        .at(
          file: path)
    }
    try AtomicFile.write(to: path) { writer in
      try writer.write(head)
      for block in constants.blocks {
        try writer.write(UnsafeRawBufferPointer(start: block.base, count: block.byteCount))
      }
    }
    return byteCount
  }
}

private enum Counts {
  /// `1,234 B`
  static func bytes(_ count: Int) -> String {
    var digits = String(count), text = ""
    while digits.count > 3 {
      text = "," + digits.suffix(3) + text
      digits.removeLast(3)
    }
    return digits + text + " B"
  }
}
