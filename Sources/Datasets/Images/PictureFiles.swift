import Diagnostics
import Network
import Tensors

/// Pictures that were named one by one, without labels, as a model wants them.
public final class PictureFiles: Dataset {
  public let name = "pictures"
  public let sampleShape: Shape
  public let identity: DatasetIdentity
  public let classCount = 1
  public let hasLabels = false
  public var count: Int { files.count }
  public var decodesOnRead: Bool { true }

  private let files: [String]
  private let cut: PictureCut

  private init(_ files: [String], _ cut: PictureCut) {
    self.files = files
    self.cut = cut
    sampleShape = [cut.height, cut.width, 3]
    identity = DatasetIdentity(.files(files, format: "pictures \(cut)"))
  }

  /// The pictures as the model takes them: cut, resized, in its channels, with its numbers for pixels.
  ///
  /// - Throws: `CompressError` when a side is too large.
  public static func open(_ files: [String], as wanted: Preprocessing) throws -> any Dataset {
    let cut =
      wanted.crop.map { PictureCut.middle(shortSide: $0.shortSide, side: $0.side) }
      ?? .whole(height: wanted.height, width: wanted.width)
    var options = ImageOptions()
    options.size = [wanted.height, wanted.width]
    options.channels = wanted.channels.count
    options.normalization = Normalization(wanted)
    return try PictureFiles(files, cut).converted(options)
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try fill(images, labels, with: indices) { index, out in
      try atFile(files[index]) { try cut.read(files[index], to: out) }
      return 0
    }
  }
}

extension Dataset {
  /// Fills a batch sample by sample.
  ///
  /// - Parameter read: writes the sample where it is told to; returns its label.
  func fill(
    _ images: UnsafeMutableBufferPointer<Float>, _ labels: UnsafeMutableBufferPointer<Int32>, with indices: [Int],
    _ read: (_ index: Int, _ out: UnsafeMutablePointer<Float>) throws -> Int32
  ) throws {
    let size = sampleShape.count
    precondition(images.count >= indices.count * size && labels.count >= indices.count, "buffers too small")
    for (k, index) in indices.enumerated() { labels[k] = try read(index, images.baseAddress! + k * size) }
  }
}

extension Normalization {
  /// The numbers of a model that says what it takes.
  public init(_ preprocessing: Preprocessing) {
    self.init()
    scale = preprocessing.scale
    mean = preprocessing.mean
    deviation = preprocessing.deviation
  }
}
