import Tensors
import Testing

@Suite struct OutOfMemoryTests {
  /// No machine has half of all addresses to give.
  @Test func anImpossibleAmountEndsWithTheMachinesStatusAndOneMessage() async throws {
    let result = await #expect(processExitsWith: .exitCode(3), observing: [\.standardErrorContent]) {
      _ = allocateZeroed(byteCount: Int.max / 2, for: "a test")
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(said.contains("error: out of memory: \(Int.max / 2) bytes for a test\n"))
  }

  @Test(arguments: [0, 1, 63, 64, 65, 4096])
  func whatIsGivenIsZeroAndAligned(_ count: Int) {
    let memory = allocateZeroed(byteCount: count, for: "a test")
    #expect(Int(bitPattern: memory) % 64 == 0)
    #expect(UnsafeRawBufferPointer(start: memory, count: count).allSatisfy { $0 == 0 })
    free(memory)
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
