import Diagnostics
import Foundation
import Testing

@testable import Kernels

@Suite struct InstructionSetTests {
  @Test func theCurrentOneRuns() {
    #expect(InstructionSet.current.isSupported)
    #expect(!InstructionSet.current.reportName.isEmpty)
    #expect(InstructionSet.scalar.isSupported && InstructionSet.scalar.reportName == "scalar")
  }

  @Test func capsBoundTheChoice() {
    #expect(InstructionSet.best(under: .scalar) == .scalar)
    #expect(InstructionSet.best(under: nil) == supportedSets.last)
    for cap in InstructionSet.allCases {
      #expect(InstructionSet.best(under: cap).isSupported)
      if cap.isSupported { #expect(InstructionSet.best(under: cap) == cap) }
    }
  }

  @Test func readsCaps() throws {
    #expect(try InstructionSet.cap(named: nil) == nil)
    #expect(try InstructionSet.cap(named: "") == nil)
    #expect(try InstructionSet.cap(named: "avx2") == .avx2)
    let error = #expect(throws: CompressError.self) { try InstructionSet.cap(named: "avx3") }
    #expect(error?.message == "COMPRESS_ISA is \"avx3\", which is no instruction set (did you mean \"avx2\"?)")
  }
}

/// The kernels for ARM can at least be compiled here.
@Suite struct CrossCompilationTests {
  static let room = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/CKernels")

  static func clang(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["clang"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  static let knowsARM: Bool = {
    let answer = try? clang(["--target=aarch64-unknown-linux-gnu", "-print-targets"])
    return answer?.status == 0 && answer?.output.contains("aarch64") == true
  }()

  @Test(.enabled(if: knowsARM, "NOT TESTED: no clang here that compiles for ARM; the NEON kernels are unchecked"))
  func neonKernelsCompile() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.room.appendingPathComponent("arm").path)
      .filter { $0.hasSuffix(".c") }
      .map { Self.room.appendingPathComponent("arm/\($0)").path }
    #expect(files.count >= 6)
    for file in files + [Self.room.appendingPathComponent("table.c").path] {
      let (status, output) = try Self.clang([
        "--target=aarch64-unknown-linux-gnu", "-ffreestanding", "-nostdlibinc", "-std=c11", "-O0", "-Wall",
        "-Wextra", "-Werror", "-I", Self.room.appendingPathComponent("include").path, "-c", file, "-o", "/dev/null",
      ])
      #expect(status == 0, "\(file)\n\(output)")
    }
  }
}
