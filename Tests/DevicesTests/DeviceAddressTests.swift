import Diagnostics
import Testing

@testable import Devices

@Suite struct DeviceAddressTests {
  @Test(
    arguments: [
      ("ssh://pi", nil, "pi", nil), ("ssh://me@pi.local:2222", "me", "pi.local", 2222),
      ("ssh://a.b-c_d@10.0.0.1", "a.b-c_d", "10.0.0.1", nil), ("ssh://[fe80::1]:22", nil, "fe80::1", 22),
      ("ssh://me@[::1]", "me", "::1", nil), ("ssh://pi:65535", nil, "pi", 65535),
    ] as [(String, String?, String, Int?)])
  func isReadAndWrittenAgain(_ text: String, _ user: String?, _ host: String, _ port: Int?) throws {
    let address = try DeviceAddress(text)
    #expect(address.user == user && address.host == host && address.port == port)
    #expect(address.description == text)
  }

  @Test(arguments: [
    "", "pi", "ssh:pi", "http://pi", "ssh://", "ssh://@pi", "ssh://-oProxyCommand=id", "ssh://-l@pi", "ssh://me@-pi",
    "ssh://me@", "ssh://pi:", "ssh://pi:0", "ssh://pi:65536", "ssh://pi:2x", "ssh://pi:-1", "ssh://pi:000022",
    "ssh://pi/path", "ssh://me:secret@pi", "ssh://pi pi", "ssh://pi;id", "ssh://$(id)", "ssh://pi\n", "ssh://pi\u{1}d",
    "ssh://[::1", "ssh://[::1]x", "ssh://[pi]", "ssh://[-1:]%eth0", "ssh://pié", "ssh://١٢", "ssh://pi:٢٢",
    "ssh://" + String(repeating: "a", count: 300),
  ])
  func isRefused(_ text: String) { #expect(throws: CompressError.self) { try DeviceAddress(text) } }
}
