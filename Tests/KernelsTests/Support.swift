import CKernels
import Tensors

@testable import Kernels

let supportedSets = InstructionSet.allCases.filter(\.isSupported)

/// Memory between guard bytes, which `isIntact` checks.
final class Guarded<T: BitwiseCopyable> {
  private static var margin: Int { 64 }
  private let raw: UnsafeMutableRawBufferPointer
  let base: UnsafeMutablePointer<T>
  let count: Int

  /// The data sits right before its guard, `offset` bytes off alignment.
  init(_ count: Int, filling value: T, offset: Int = 0) {
    let bytes = count * MemoryLayout<T>.stride
    raw = .allocate(byteCount: bytes + 2 * Self.margin + offset, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0xA5)
    base = (raw.baseAddress! + Self.margin + offset).assumingMemoryBound(to: T.self)
    base.initialize(repeating: value, count: count)
    self.count = count
  }

  convenience init(_ values: [T]) {
    self.init(values.count, filling: values[0])
    for i in values.indices { base[i] = values[i] }
  }

  deinit { raw.deallocate() }

  var array: [T] { Array(UnsafeBufferPointer(start: base, count: count)) }

  var isIntact: Bool {
    let begin = UnsafeMutableRawPointer(base) - raw.baseAddress!
    let end = begin + count * MemoryLayout<T>.stride
    return raw.indices.allSatisfy { ($0 >= begin && $0 < end) || raw[$0] == 0xA5 }
  }
}

struct Numbers {
  var random: SeededRandom
  init(_ seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform() * 2 - 1) } }
  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(random.below(256)) } }
  mutating func weights(_ count: Int) -> [Int8] { (0..<count).map { _ in Int8(random.below(255) - 127) } }
  mutating func sums(_ count: Int, _ bound: Int) -> [Int32] {
    (0..<count).map { _ in Int32(random.below(2 * bound + 1) - bound) }
  }
  mutating func pick<T>(_ choices: [T]) -> T { choices[random.below(choices.count)] }
}

/// Runs a body with scratch memory whose end is guarded.
func withScratch(_ bytes: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) -> Bool {
  let scratch = Guarded<UInt8>(bytes, filling: 0x7F)
  body(UnsafeMutableRawBufferPointer(start: scratch.base, count: bytes))
  return scratch.isIntact
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// Runs a step from copies of its bytes and constants, the originals being overwritten: it must need nothing else.
///
/// - Returns: whether it kept to its scratch.
func runMoved(
  _ step: PreparedStep, isa: InstructionSet, _ inputs: [UnsafeRawPointer], to output: UnsafeMutableRawPointer,
  batch: Int, pool: ThreadPool
) -> Bool {
  func moved(_ memory: OwnedMemory) -> OwnedMemory {
    let copy = OwnedMemory(byteCount: memory.byteCount)
    copy.base.copyMemory(from: memory.base, byteCount: memory.byteCount)
    memory.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: memory.byteCount)
    return copy
  }
  let bytes = step.scratchBytes(batch: batch, threads: pool.threads)
  let descriptor = moved(step.descriptor), constants = step.constants.map(moved)
  return withExtendedLifetime((descriptor, constants)) {
    withScratch(bytes) { scratch in
      inputs.map { Optional($0) }.withUnsafeBufferPointer { inputs in
        [Optional(output)].withUnsafeBufferPointer { outputs in
          pool.withWorkers { workers in
            var call = ck_call(
              inputs: inputs.baseAddress, outputs: outputs.baseAddress, constants: constants?.base,
              scratch: scratch.baseAddress, batch: batch, workers: workers)
            step.run(descriptor.base, isa.kernels, &call)
          }
        }
      }
    }
  }
}
