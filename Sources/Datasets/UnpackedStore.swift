import Files

/// Where unpacked data is kept, so that it is unpacked once: later runs, and other processes at the same time, map it
/// and share its pages.
public protocol UnpackedStore: Sendable {
  /// Names a part of a packed file by content: the same packed bytes and the same part have the same name.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` when the running work is to stop.
  func key(of part: String, in packed: UnsafeRawBufferPointer) throws -> String

  /// What is kept under the key, as it was; nil when nothing is.
  func content(_ key: String) -> MappedFile?

  /// Keeps the bytes and maps them, untouched so far: the caller still holds the same bytes in memory.
  ///
  /// - Throws: `CompressError` when the disk is full or the folder cannot be written.
  func keep(_ bytes: UnsafeRawBufferPointer, as key: String) throws -> MappedFile
}
