import Diagnostics
import Files
import Network
import Tensors

/// Samples and labels from NumPy arrays: two `.npy` files, or two members of an `.npz`.
///
/// Arrays that are not compressed are mapped, so that they need no memory of their own. Unsigned bytes become pixels
/// from 0 to 1; other numbers stay what they are.
public final class NumPyDataset: Dataset {
  /// Where an array is.
  public struct Source: Sendable {
    public let file: String
    /// In an `.npz`: which one.
    public let member: String?

    public init(file: String, member: String? = nil) {
      self.file = file
      self.member = member
    }
  }

  /// How a sample's three axes lie in the file.
  public enum Layout: String, Sendable, CaseIterable {
    case hwc
    /// Channels first, as PyTorch has them.
    case chw
  }

  public let name: String
  public let sampleShape: Shape
  public let classCount: Int
  /// Bytes become pixels; what other numbers were made of nobody knows.
  public var preprocessing: Preprocessing? {
    samples.array.element == .u1 ? Preprocessing(pictures: sampleShape) : nil
  }
  public let identity: DatasetIdentity
  public let count: Int

  private let samples: LoadedArray
  /// In the file's own type, as it is or unpacked: as numbers of 32 bits they could take four times the room.
  private let labels: LoadedArray
  private let range: LabelRange
  private let layout: Layout

  /// The smallest label in the file.
  public let smallestLabel: Int

  /// - Parameters:
  ///   - samples: [samples, height, width], which gains a channel axis, [samples, height, width, channels] or
  ///     [samples, features].
  ///   - labels: [samples] or [samples, 1], integers.
  ///   - firstLabel: what the file calls the first class: 0 or 1.
  ///   - classCount: as many as there are labels up to the largest when nil.
  ///   - memory: what is compressed is unpacked into this.
  /// - Throws: `CompressError`, with the file, when one of them is missing, broken or does not fit the other.
  public init(
    name: String, samples: Source, labels: Source, firstLabel: Int = 0, classCount: Int? = nil,
    layout: Layout = .hwc, memory: DataMemory = DataMemory()
  ) throws {
    let images = try LoadedArray(samples, memory), classes = try LoadedArray(labels, memory)
    let dims = images.array.dims
    guard (2...4).contains(dims.count), !dims.dropFirst().contains(0) else {
      throw CompressError("samples have 2 to 4 axes and some elements, not shape \(dims)", kind: .input)
        .at(file: samples.file)
    }
    let labelDims = classes.array.dims
    guard labelDims.count == 1 || (labelDims.count == 2 && labelDims[1] == 1), classes.array.element.isInteger else {
      throw CompressError(
        "labels are integers with one axis, not \(classes.array.element.rawValue) of shape \(labelDims)", kind: .input
      ).at(file: labels.file)
    }
    guard labelDims[0] == dims[0] else {
      throw CompressError("\(labelDims[0]) labels for the \(dims[0]) samples of \(samples.file)", kind: .input)
        .at(file: labels.file)
    }
    range = LabelRange(first: firstLabel, classCount: classCount)
    let found = try atFile(labels.file) { [range] in
      try classes.bytes.withBytes { bytes in
        try range.check(labelDims[0]) { classes.array.integer($0, from: bytes) }
      }
    }
    smallestLabel = found.smallest
    self.name = name
    self.samples = images
    self.labels = classes
    count = labelDims[0]
    self.classCount = found.classes
    let inner = Array(dims.dropFirst())
    guard layout == .hwc || inner.count == 3 else {
      throw CompressError("samples of shape \(inner) have no channels that could come first", kind: .input)
        .at(file: samples.file)
    }
    self.layout = layout
    sampleShape =
      switch inner.count {
      case 2: Shape(inner + [1])
      case 3 where layout == .chw: [inner[1], inner[2], inner[0]]
      default: Shape(inner)
      }
    let members = [samples.member, labels.member].map { $0 ?? "" }
    identity = DatasetIdentity(
      .files(
        samples.file == labels.file ? [samples.file] : [samples.file, labels.file],
        format: "numpy \(members), \(self.classCount) classes" + (firstLabel == 0 ? "" : " from \(firstLabel)")
          + (layout == .hwc ? "" : ", \(layout.rawValue)")))
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let size = sampleShape.count
    precondition(images.count >= indices.count * size && labels.count >= indices.count, "buffers too small")
    self.labels.bytes.withBytes { bytes in
      for (k, index) in indices.enumerated() {
        labels[k] = range.clamped(self.labels.array.integer(index, from: bytes) ?? 0, classes: classCount)
      }
    }
    samples.bytes.withBytes { bytes in
      for (k, index) in indices.enumerated() {
        let out = UnsafeMutableBufferPointer(rebasing: images[(k * size)..<((k + 1) * size)])
        let elements = index * size..<(index + 1) * size
        switch layout {
        case .hwc: samples.array.read(elements, from: bytes, to: out.baseAddress!)
        case .chw: readChannelsFirst(elements, from: bytes, to: out)
        }
        if samples.array.element == .u1 { for i in out.indices { out[i] /= 255 } }
      }
    }
  }
}

extension NumPyDataset {
  private func readChannelsFirst(
    _ elements: Range<Int>, from bytes: UnsafeRawBufferPointer, to out: UnsafeMutableBufferPointer<Float>
  ) {
    let channels = sampleShape[2], pixels = elements.count / channels
    withUnsafeTemporaryAllocation(of: Float.self, capacity: elements.count) { planes in
      samples.array.read(elements, from: bytes, to: planes.baseAddress!)
      for c in 0..<channels {
        for i in 0..<pixels { out[i * channels + c] = planes[c * pixels + i] }
      }
    }
  }
}

/// An array and its bytes.
private struct LoadedArray: Sendable {
  let array: NumPyArray
  let bytes: HeldBytes

  init(_ source: NumPyDataset.Source, _ memory: DataMemory) throws {
    (array, bytes) = try atFile(source.file) {
      let bytes = try Self.bytes(source, memory)
      return (try bytes.withBytes { try NumPyArray($0, of: $0.count) }, bytes)
    }
  }

  private static func bytes(_ source: NumPyDataset.Source, _ memory: DataMemory) throws -> HeldBytes {
    guard let member = source.member else {
      let file = try MappedFile(source.file)
      return .mapped(file, 0..<file.bytes.count)
    }
    let zip = try ZipFile(source.file)
    guard let entry = zip.entries.first(where: { $0.name == member + ".npy" }) else {
      let names = zip.entries.map { $0.name.hasSuffix(".npy") ? String($0.name.dropLast(4)) : $0.name }
      throw CompressError(
        "there is no array \"\(member.escapedForTerminal)\"" + Suggestion.text(for: member, among: names), kind: .input)
    }
    // What an array claims to be is looked at before all of it is unpacked.
    try zip.beginning(of: entry, count: NumPyArray.longestBeginning).withUnsafeBytes {
      _ = try NumPyArray($0, of: entry.size)
    }
    return try HeldBytes(entry, of: zip, memory: memory)
  }
}
