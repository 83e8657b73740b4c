import Foundation
import Testing

/// Sweeps with real servers beside them, which the scripts in Tests/soak start: only in soak.
@Suite(.serialized) struct ServerSoakTests {
  @Test(arguments: ["slurm", "mlflow"]) func worksWithTheRealThing(_ name: String) throws {
    guard isSoak else { return }
    let process = Process()
    // Signals that are blocked here would be blocked in the servers, too, and nothing would end them.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "--default-signal", "bash", "\(sourceRoot)/Tests/soak/\(name).sh", program, sourceRoot + "/plugins",
    ]
    try process.run()
    process.waitUntilExit()
    // What cannot be installed here has said so.
    #expect([0, 77].contains(process.terminationStatus))
  }
}
