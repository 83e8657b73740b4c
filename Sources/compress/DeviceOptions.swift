import ArgumentParser
import Devices
import Diagnostics
import Files

/// Where it is measured, if not here. Only the command line says it: no script can name a machine.
struct DeviceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Measure on this machine: ssh://[USER@]HOST[:PORT].", valueName: "address"))
  var on: String?

  @Option(
    help: ArgumentHelp("With --on: ssh's configuration, in place of the user's own.", valueName: "file"),
    completion: .file())
  var sshConfig: String?

  func validate() throws {
    if sshConfig != nil, on == nil { throw ValidationError("--ssh-config goes with --on") }
  }

  /// The machine, made known to the broker, before that is sealed; nil where it is this one.
  func known() throws -> RemoteDevice? {
    guard let on else { return nil }
    let address = try DeviceAddress(on)
    if let sshConfig, !Folders.isFile(sshConfig) {
      throw CompressError("there is no such file for --ssh-config", kind: .input).at(file: sshConfig)
    }
    return try RemoteDevice(address, configuration: sshConfig)
  }
}
