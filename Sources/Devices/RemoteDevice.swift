import Confinement
import Diagnostics
import Files
import Foundation

/// Another machine, reached by ssh, that compiled plans are measured on.
///
/// One connection does it: the device says what its processor is, receives the runner for it with all that it needs as
/// a tar archive, unpacks that in a fresh folder, runs it, and removes the folder. ssh is the user's own, with the user's
/// keys and known hosts; it asks nothing. What comes back is bounded in size and time, and is nobody's word.
public struct RemoteDevice: Sendable {
  public let address: DeviceAddress
  private let program: BrokeredProgram

  /// A file that the runner finds in its folder.
  public struct File: Sendable {
    let name: String
    let path: String

    public init(name: String, path: String) {
      self.name = name
      self.path = path
    }
  }

  /// What runs there; it knows nothing of what is measured, and so needs no quotes. A shell of the user's that is none
  /// of POSIX's starts one.
  private static let command = """
    sh -c 'uname -m; d=$(mktemp -d "${TMPDIR:-/tmp}/compress-XXXXXXXX") || exit 1; trap "rm -rf \\"\\$d\\"" EXIT; \
    trap "exit 1" HUP INT TERM; cd "$d" && tar -xf - && ./compress-runner job'
    """

  private static let options = [
    "BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=15", "ServerAliveCountMax=4", "ClearAllForwardings=yes",
    "PermitLocalCommand=no", "RequestTTY=no", "LogLevel=ERROR",
  ]

  /// Makes ssh known to the broker, before that is sealed.
  ///
  /// - Parameter configuration: a file to take in place of the user's own and the system's; nil for those.
  /// - Throws: `CompressError` when there is no ssh.
  public init(_ address: DeviceAddress, configuration: String? = nil) throws {
    guard let ssh = Folders.program("ssh") else {
      throw CompressError("\(address): there is no ssh here", kind: .system, hint: "install the package openssh-client")
    }
    var arguments = ["-T", "-x", "-a"] + Self.options.flatMap { ["-o", $0] }
    if let configuration { arguments += ["-F", Folders.absolute(configuration)] }
    if let port = address.port { arguments += ["-p", String(port)] }
    if let user = address.user { arguments += ["-l", user] }
    arguments += ["--", address.host, Self.command]
    self.address = address
    program = try Broker.add(arguments.map { try ArgumentForm($0) }, path: ssh)
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - samples: float32 numbers, one sample after the other with the elements of all inputs; as many as the job says.
  ///   - scratch: a folder for the job.
  ///   - plans: given the device's processor, as `uname -m` says it, writes the plans and says where they are.
  /// - Throws: `CompressError` naming the device when it cannot be reached, something does not work there, or what it
  ///   answers is no answer; what `plans` throws.
  public func measure(
    _ job: RunnerJob, samples: String, scratch: String, plans: (_ machine: String) throws -> [String]
  ) throws -> RunnerAnswer {
    let jobFile = "\(scratch)/job"
    try AtomicFile.write(job.text.utf8, to: jobFile)
    var exchange = try DeviceExchange(program)
    defer { exchange.end() }
    do {
      guard let machine = try exchange.readLine() else { throw failed(&exchange) }
      let runner = try RunnerProgram.find(for: machine)
      var files = [("compress-runner", runner), ("job", jobFile), ("samples.f32", samples)]
      files += try plans(machine).enumerated().map { ("\($0 + 1).cmpx", $1) }
      for (name, path) in files {
        let size = try Folders.size(ofFile: path)
        try exchange.send(TarHeader.bytes(name: name, size: size, isExecutable: path == runner))
        try exchange.send(file: path, size: size)
        try exchange.send(TarHeader.padding(behind: size))
      }
      try exchange.send(TarHeader.end)
      let answer = try exchange.readRest()
      guard exchange.status == 0 else { throw failed(&exchange) }
      return try RunnerAnswer(answer, to: job)
    } catch var error as CompressError {
      if !error.message.hasPrefix("\(address)") { error.message = "\(address): \(error.message)" }
      throw error
    }
  }

  private func failed(_ exchange: inout DeviceExchange) -> CompressError {
    // ssh's own status where it is ssh that failed.
    let said = exchange.complaint, status = exchange.status
    let text = said.isEmpty ? "" : ": \(said)"
    return CompressError(
      status == 255 ? "ssh cannot reach it\(text)" : "what measures there ended with status \(status)\(text)",
      kind: .system)
  }
}
