extension Tensor {
  /// What holds the elements, which views share.
  public var storageOwner: AnyObject { storage }

  /// Bytes behind `storageOwner`, more than `byteCount` for a part of a larger tensor; 0 for a mapped file.
  public var storageByteCount: Int { storage.isBorrowed ? 0 : storage.bytes.count }
}
