import Diagnostics
import Pipeline

/// Which machine measured, for people.
public enum DeviceText {
  /// `measured on ssh://pi (Raspberry Pi 4, Linux 6.1, neon, 4 processors; 52 °C, 1800 MHz)`
  public static func sentence(_ device: DeviceRecord) -> String {
    let state =
      (device.temperature.map { ["\(Formatting.significant($0)) °C"] } ?? [])
      + (device.clock.map { ["\(Int($0.rounded())) MHz"] } ?? [])
    return
      ("measured on \(device.address) (\(device.name), \(device.system), \(device.isa), \(device.processors) "
      + (device.processors == 1 ? "processor" : "processors")
      + (state.isEmpty ? "" : "; " + state.joined(separator: ", ")) + ")").escapedForTerminal
  }
}
