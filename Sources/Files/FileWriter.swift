import Diagnostics

/// Buffered writing to the file that `AtomicFile` is making.
public final class FileWriter {
  private let descriptor: Int32
  /// Named in errors: the file the user asked for, not the temporary one.
  private let path: String
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 16

  /// Bytes written so far.
  public private(set) var count = 0

  /// Most bytes.
  private let limit: Int

  init(descriptor: Int32, path: String, limit: Int = .max) {
    self.descriptor = descriptor
    self.path = path
    self.limit = limit
    buffer.reserveCapacity(Self.bufferSize)
  }

  /// - Throws: `CompressError` (`.system`) when the disk is full or fails, (`.limit`) when it is more than may be.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count <= limit - count else {
      throw CompressError("more than the \(limit) bytes that may still be written", kind: .limit).at(file: path)
    }
    count += bytes.count
    if buffer.count + bytes.count > Self.bufferSize { try flush() }
    if bytes.count < Self.bufferSize {
      buffer.append(contentsOf: bytes)
    } else {
      try send(bytes)
    }
  }

  /// `[UInt8]`, `Data`, a string's `utf8` …
  public func write(_ bytes: some Collection<UInt8>) throws {
    if try bytes.withContiguousStorageIfAvailable({ try write(UnsafeRawBufferPointer($0)) }) != nil { return }
    try Array(bytes).withUnsafeBytes { try write($0) }
  }

  /// Zeros up to the next multiple of `alignment`.
  public func pad(to alignment: Int) throws {
    precondition(alignment > 0)
    try write([UInt8](repeating: 0, count: (alignment - count % alignment) % alignment))
  }

  func flush() throws {
    try buffer.withUnsafeBytes { try send($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func send(_ bytes: UnsafeRawBufferPointer) throws {
    var sent = 0
    while sent < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
      let count = writeBytes(descriptor, rest)
      guard count >= 0 else { throw CompressError.system("write", path) }
      sent += count
    }
  }
}
