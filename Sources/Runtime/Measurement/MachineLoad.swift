#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a machine did while a process measured, beside the measuring itself.
public struct MachineLoad: Sendable, Equatable {
  /// By the clock, warm-up included.
  public var seconds: Double
  /// Processor time of the measuring process.
  public var own: Double
  /// How often a thread of the process had to leave its processor to another.
  public var preemptions: Int
  /// Of the machine; nil where `/proc/stat` cannot be read, as are the next two.
  public var processors: Int?
  /// Processor time that all other processes took, to some hundredths of a second: the system counts in ticks.
  public var others: Double?
  /// Processor time that the host gave to other virtual machines.
  public var stolen: Double?
  /// How long at least one thread of the machine waited for a processor; nil without `/proc/pressure/cpu`.
  public var waiting: Double?

  public init(
    seconds: Double, own: Double, preemptions: Int, processors: Int? = nil, others: Double? = nil,
    stolen: Double? = nil, waiting: Double? = nil
  ) {
    self.seconds = seconds
    self.own = own
    self.preemptions = preemptions
    self.processors = processors
    self.others = others
    self.stolen = stolen
    self.waiting = waiting
  }

  /// What happened between two readings.
  public init(from start: MachineCounters, to end: MachineCounters) {
    seconds = Double(end.clock - start.clock) / 1e9
    own = Double(end.own - start.own) / 1e9
    preemptions = end.preemptions - start.preemptions
    if let before = start.ticks, let after = end.ticks {
      let second = Double(MachineCounters.ticksPerSecond)
      processors = after.processors
      others = max(0, Double(after.busy - before.busy) / second - own)
      stolen = max(0, Double(after.stolen - before.stolen) / second)
    }
    if let before = start.waiting, let after = end.waiting { waiting = Double(after - before) / 1e6 }
  }
}

/// The system's running counts at one moment.
public struct MachineCounters: Sendable {
  public struct Ticks: Sendable, Equatable {
    public var busy: Int
    public var stolen: Int
    public var processors: Int

    /// Of the text of `/proc/stat`; nil when it is not in its form.
    public init?(stat text: String) {
      var numbers: [Int] = []
      processors = 0
      for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
        let words = line.split(separator: " ")
        guard words[0] == "cpu" else {
          processors += 1
          continue
        }
        numbers = words.dropFirst().compactMap { Int($0) }
      }
      // user, nice, system, idle, iowait, irq, softirq, steal; guests' time is in user and nice already.
      guard numbers.count >= 8, processors > 0 else { return nil }
      busy = [0, 1, 2, 5, 6].reduce(0) { $0 &+ numbers[$1] }
      stolen = numbers[7]
    }
  }

  /// Nanoseconds of the monotonic clock, and of processor time of this process.
  let clock, own: UInt64
  let preemptions: Int
  let ticks: Ticks?
  /// Microseconds.
  let waiting: Int?

  static let ticksPerSecond = max(1, sysconf(Int32(_SC_CLK_TCK)))

  /// Now.
  public init() {
    var usage = rusage()
    let thisProcess: Int32 = 0  // RUSAGE_SELF, imported with different types from different C libraries
    getrusage(thisProcess, &usage)
    preemptions = Int(usage.ru_nivcsw)
    ticks = Self.text("/proc/stat").flatMap(Ticks.init(stat:))
    waiting = Self.text("/proc/pressure/cpu").flatMap(Self.waiting(pressure:))
    own = processorNanoseconds()
    clock = monotonicNanoseconds()
  }

  /// The total of the line `some` of `/proc/pressure/cpu`, in microseconds.
  static func waiting(pressure text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix("some ") }
    let total = line?.split(separator: " ").first { $0.hasPrefix("total=") }
    return total.flatMap { Int($0.dropFirst("total=".count)) }
  }

  private static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // The lines of hundreds of processors.
    var bytes = [UInt8](repeating: 0, count: 1 << 16), count = 0
    while count < bytes.count {
      let more = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
      guard more > 0 else { break }
      count += more
    }
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }
}
