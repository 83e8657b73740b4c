import Diagnostics
import Files
import Network
import Synchronization
import Tensors

/// Images and labels from a pair of IDX files, such as MNIST's.
///
/// Labels are read at once, images on the first `read`; they stay bytes, mapped where the file is not compressed.
public final class IDXDataset: Dataset {
  public let name: String
  public let sampleShape: Shape
  public let classCount: Int
  public let classNames: [String]?
  /// IDX holds bytes.
  public var preprocessing: Preprocessing? { Preprocessing(pictures: sampleShape) }
  public let identity: DatasetIdentity
  public let count: Int
  /// The smallest label in the file.
  public let smallestLabel: Int

  private let images: IDXFile
  private let labels: HeldBytes
  private let range: LabelRange
  private let memory: DataMemory
  private let decoded = Mutex<HeldBytes?>(nil)

  /// - Parameters:
  ///   - images: [samples, height, width], which gains a channel axis, [samples, height, width, channels] or
  ///     [samples, features].
  ///   - labels: [samples].
  ///   - firstLabel: what the file calls the first class: 0 or 1.
  ///   - classCount: as many as there are labels up to the largest when nil.
  ///   - classNames: what the classes are called, if anybody knows.
  ///   - memory: what gzipped images are unpacked into.
  /// - Throws: `CompressError`, with the file, when one of them is missing, broken or does not fit the other.
  public init(
    name: String, images: String, labels: String, firstLabel: Int = 0, classCount: Int? = nil,
    classNames: [String]? = nil, memory: DataMemory = DataMemory()
  ) throws {
    let imageFile = try IDXFile(images), labelFile = try IDXFile(labels)
    guard imageFile.shape.rank >= 2, !imageFile.shape.dims.dropFirst().contains(0) else {
      throw CompressError("images have 2 to 4 axes and some pixels, not shape \(imageFile.shape)", kind: .input)
        .at(file: images)
    }
    guard labelFile.shape.rank == 1 else {
      throw CompressError("labels have one axis, not shape \(labelFile.shape)", kind: .input).at(file: labels)
    }
    guard imageFile.shape[0] == labelFile.shape[0] else {
      throw CompressError(
        "\(labelFile.shape[0]) labels for the \(imageFile.shape[0]) images of \(images)", kind: .input
      ).at(file: labels)
    }
    let classes = try labelFile.decode(memory)
    range = LabelRange(first: firstLabel, classCount: classCount)
    let found = try atFile(labels) { [range] in
      try classes.withBytes { classes in try range.check(classes.count) { Int(classes[$0]) } }
    }
    smallestLabel = found.smallest
    count = labelFile.shape[0]
    self.name = name
    self.classNames = classNames
    self.images = imageFile
    self.memory = memory
    self.labels = classes
    self.classCount = found.classes
    let dims = Array(imageFile.shape.dims.dropFirst())
    sampleShape = Shape(dims.count == 2 ? dims + [1] : dims)
    identity = DatasetIdentity(
      .files(
        [images, labels], format: "idx, \(self.classCount) classes" + (firstLabel == 0 ? "" : " from \(firstLabel)")))
  }

  public func read(
    _ indices: [Int], images out: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let pixels = try decoded.withLock { decoded in
      if let decoded { return decoded }
      let pixels = try images.decode(memory)
      decoded = pixels
      return pixels
    }
    let size = sampleShape.count
    precondition(out.count >= indices.count * size && labels.count >= indices.count, "buffers too small")
    self.labels.withBytes { bytes in
      for (k, index) in indices.enumerated() { labels[k] = range.clamped(Int(bytes[index]), classes: classCount) }
    }
    pixels.withBytes { pixels in
      for (k, index) in indices.enumerated() {
        let sample = UnsafeRawBufferPointer(rebasing: pixels[(index * size)..<((index + 1) * size)])
        sample.withMemoryRebound(to: UInt8.self) { scale($0, to: out.baseAddress! + k * size) }
      }
    }
  }
}

/// Bytes as pixels from 0 to 1: each divided by 255.
func scale(_ bytes: UnsafeBufferPointer<UInt8>, to out: UnsafeMutablePointer<Float>) {
  for i in bytes.indices { out[i] = Float(bytes[i]) / 255 }
}
