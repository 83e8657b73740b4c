import CConfinement
import Diagnostics
import Files
import Foundation

/// What a process keeps when it confines itself: files below some folders, memory, perhaps the network.
///
/// Everything else goes for good, whatever code runs in the process from then on: other files, new programs and
/// processes, sockets, signals to others.
public struct Rights: Sendable {
  /// Files and folders, with all below.
  public var readable: [String]
  /// Folders, with all below. Nothing there can be executed, and no links be made.
  public var writable: [String]
  /// Sockets, and the files that name servers and certificates.
  public var network: Bool
  /// Bytes of private memory.
  public var memoryBytes: Int
  /// Bytes of the largest file that can be written.
  public var fileBytes = Self.standardFileBytes

  public static let standardFileBytes = 64 << 30
  /// As many as the machine has: a process that wants more would not get them without swapping.
  public static var standardMemoryBytes: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }

  public init(
    readable: [String] = [], writable: [String] = [], network: Bool = false,
    memoryBytes: Int = Self.standardMemoryBytes
  ) {
    self.readable = readable
    self.writable = writable
    self.network = network
    self.memoryBytes = memoryBytes
  }

  /// What any process needs that has begun already: libraries, time zones, what it finds out about itself and the
  /// machine.
  private static let system = [
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/usr/share/zoneinfo", "/usr/share/icu",
    "/proc/self",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/pressure/cpu",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
    "/sys/devices/system/node", "/sys/fs/cgroup", "/dev/zero", "/dev/random", "/dev/urandom", "/proc/self/exe",
  ]

  private static let systemWritable = ["/dev/null", "/proc/self/clear_refs"]

  /// What finds servers and knows whom to trust.
  private static let servers = [
    "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/ssl",
    "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates", "/usr/share/pki", "/var/lib/ca-certificates",
  ]

  private static let serverVariables = [
    "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "URLSessionCertificateAuthorityInfoFile",
  ]

  /// Who may log to MLflow is for the process that does; the text is wiped, so that it stands nowhere in memory.
  private static let secrets = ["MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"]

  /// Confines this process, with all walls that the kernel has.
  ///
  /// - Returns: what holds.
  /// - Throws: `CompressError` of kind `.system` when the process has more than one thread already, or the kernel
  ///   refuses what it has.
  @discardableResult
  public func confine() throws -> Walls {
    var readable = self.readable + Self.system
    if network {
      readable += Self.servers + Self.serverVariables.compactMap(Folders.environment)
    } else {
      Self.forget()
    }
    var walls = cconfine_walls()
    let error = withCStrings(readable) { readable in
      withCStrings(writable + Self.systemWritable) { writable in
        var rights = cconfine_rights()
        rights.readable = readable.baseAddress
        rights.readable_count = readable.count
        rights.writable = writable.baseAddress
        rights.writable_count = writable.count
        rights.data_bytes = UInt64(memoryBytes)
        rights.file_bytes = UInt64(fileBytes)
        rights.network = network
        return cconfine(&rights, &walls)
      }
    }
    switch error {
    case 0, ENOSYS: return Walls(walls)
    case EBUSY:
      throw CompressError("cannot confine itself: it has \(cconfine_threads()) threads already", kind: .system)
    default: throw CompressError("cannot confine itself: \(String(cString: strerror(error)))", kind: .system)
    }
  }

  private static func forget() {
    for name in secrets {
      guard let value = getenv(name) else { continue }
      memset(value, 0, strlen(value))
      unsetenv(name)
    }
  }

  /// The targets of links that lie in a folder of the user's: those are as good as the folder itself.
  public static func links(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }.filter {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: $0)) != nil
    }
  }
}

/// Runs `body` with the texts as C strings, which last until it returns.
func withCStrings<R>(_ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>>) throws -> R) rethrows -> R {
  let copies = texts.map { strdup($0)! }
  defer { for copy in copies { free(copy) } }
  return try copies.map { UnsafePointer($0) }.withUnsafeBufferPointer(body)
}
