import Diagnostics
import Files
import Foundation
import Network
import Tensors

/// JPEG and PNG images in one folder for each class, or without labels. They are decoded batch by batch, never kept.
///
/// Images of other formats are told of, never passed over in silence.
///
/// Each image is resized so that its shorter side has `shortSide` pixels, then the middle is cut out: the usual
/// preprocessing for ImageNet (torchvision's `Resize` and `CenterCrop`).
public final class ImageFolder: Dataset {
  public struct Options: Sendable, Hashable {
    /// Side of the square that is cut out.
    public var side = 224
    /// Pixels of the shorter side before that; 256 for each 224 of `side` when nil.
    public var shortSide: Int?
    public var broken = BrokenImagePolicy.error
    /// Height and width that whole pictures are resized to, whatever their sides are to each other; nil: a square is cut
    /// out.
    public var whole: [Int]?

    public init() {}

    var cut: PictureCut {
      if let whole { .whole(height: whole[0], width: whole[1]) } else { .middle(shortSide: resized, side: side) }
    }

    var resized: Int { shortSide ?? Int((Double(side) * 256 / 224).rounded()) }
  }

  public let name: String
  public let sampleShape: Shape
  public let identity: DatasetIdentity
  /// Names of the class folders, in order: a label is an index into them; none without labels.
  public let classes: [String]
  public let hasLabels: Bool
  public let broken = BrokenImages()
  public var count: Int { files.count }
  public var classCount: Int { ranges.count }
  public var classNames: [String]? { hasLabels ? classes : nil }
  public var decodesOnRead: Bool { true }

  public var preprocessing: Preprocessing? {
    if let whole = options.whole { return try? Preprocessing(height: whole[0], width: whole[1], channels: .rgb) }
    return try? Preprocessing(
      crop: Preprocessing.Crop(shortSide: options.resized, side: options.side), height: options.side,
      width: options.side, channels: .rgb)
  }

  private let options: Options
  private let files: [String]
  /// The samples of each class.
  private let ranges: [Range<Int>]

  /// - Parameters:
  ///   - classes: the class folders to read, in this order; nil: all there are, by name.
  ///   - mayLack: whether classes may have no folder, and so no samples.
  ///   - hasLabels: without labels all images that lie in the folder, and in the folders in it.
  /// - Throws: `CompressError` when the folder or a class is missing or has no images, a link leads out of it, or an
  ///   option is out of range.
  public init(
    name: String, folder: String, classes: [String]? = nil, mayLack: Bool = false, hasLabels: Bool = true,
    options: Options = Options()
  ) throws {
    let sides = options.whole ?? [options.side, options.resized]
    guard sides.count == 2, sides.allSatisfy({ (1...ImageOptions.largestSide).contains($0) }) else {
      throw CompressError("images of \(sides) pixels; sides are from 1 to \(ImageOptions.largestSide)")
    }
    guard options.whole != nil || options.side <= options.resized else {
      throw CompressError(
        "a square of \(options.side) cannot be cut out of images with a short side of \(options.resized); "
          + "both are from 1 to \(ImageOptions.largestSide)")
    }
    let classes = try classes ?? Self.folders(in: folder)
    guard !classes.isEmpty || !hasLabels else {
      throw CompressError(
        "no class folders", kind: .input,
        hint: "images lie in one folder for each class; without labels, { labels = false }"
      ).at(file: folder)
    }
    self.hasLabels = hasLabels
    var files: [String] = [], ranges: [Range<Int>] = []
    if !hasLabels {
      for folder in [folder] + classes.map({ "\(folder)/\($0)" }) {
        files += try Self.images(in: folder, root: folder, options.broken, broken)
      }
      guard !files.isEmpty else {
        throw CompressError("no images (.jpg, .jpeg, .png)", kind: .input).at(file: folder)
      }
      ranges = [files.indices]
    }
    for label in classes where hasLabels {
      let start = files.count
      if mayLack, !Folders.exists("\(folder)/\(label)") {
        ranges.append(start..<start)
        continue
      }
      files += try Self.images(in: "\(folder)/\(label)", root: folder, options.broken, broken)
      guard files.count > start else {
        throw CompressError("no images (.jpg, .jpeg, .png)", kind: .input).at(file: "\(folder)/\(label)")
      }
      ranges.append(start..<files.count)
    }
    self.name = name
    self.classes = hasLabels ? classes : []
    self.options = options
    self.files = files
    self.ranges = ranges
    sampleShape = [options.cut.height, options.cut.width, 3]
    let counts = hasLabels ? ranges.map { "\($0.count)" }.joined(separator: ",") : "without labels"
    identity = DatasetIdentity(
      .files(
        files,
        format: "image folders \(counts), short side \(options.resized), side \(options.side), "
          + "broken \(options.broken.rawValue)" + (options.whole.map { ", whole \($0)" } ?? "")))
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try fill(images, labels, with: indices) { index, out in
      let label = ranges.firstIndex { $0.contains(index) }!
      try readSound(index, ranges[label], to: out)
      return Int32(label)
    }
  }

  /// The image, or as the policy has it the next one of its class that can be read.
  private func readSound(_ index: Int, _ range: Range<Int>, to out: UnsafeMutablePointer<Float>) throws {
    for step in 0..<range.count {
      let file = files[range.lowerBound + (index - range.lowerBound + step) % range.count]
      do {
        return try atFile(file) { try decode(file, to: out) }
      } catch let error as CompressError where options.broken == .skip && error.kind != .system {
        broken.add(.init(file: file, reason: error.message, isReplaced: true))
      }
    }
    throw CompressError("none of the \(range.count) images of its class can be read", kind: .input)
      .at(file: files[index])
  }

  private func decode(_ file: String, to out: UnsafeMutablePointer<Float>) throws {
    try options.cut.read(file, to: out)
  }
}

// MARK: What lies there

extension ImageFolder {
  /// The folders in a folder, by name.
  public static func folders(in folder: String) throws -> [String] {
    try names(in: folder).filter { Folders.exists("\(folder)/\($0)") }
  }

  private static func names(in folder: String) throws -> [String] {
    guard Folders.exists(folder) else { throw CompressError("there is no such folder", kind: .input).at(file: folder) }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw CompressError("the folder cannot be read", kind: .system).at(file: folder)
    }
    return names.filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func images(
    in folder: String, root: String, _ policy: BrokenImagePolicy, _ broken: BrokenImages
  ) throws -> [String] {
    try checkInside(folder, root)
    let all = try names(in: folder).map { "\(folder)/\($0)" }
    let others = all.filter { unread.contains(ending(of: $0)) && Folders.isFile($0) }
    if policy == .error, let first = others.first {
      let number = all.count { read.contains(ending(of: $0)) }
      let counts = Dictionary(grouping: others, by: ending).sorted { $0.key < $1.key }.map { "\($1.count) .\($0)" }
      throw CompressError(
        "\(counts.joined(separator: ", ")) beside \(number) images that can be read (JPEG and PNG); the first is "
          + "\(first.dropFirst(folder.utf8.count + 1).description.escapedForTerminal)", kind: .input,
        hint: "convert them, or leave them out with broken = \"skip\""
      ).at(file: folder)
    }
    for file in others {
      broken.add(.init(file: file, reason: "JPEG and PNG are read, .\(ending(of: file)) is not", isReplaced: false))
    }
    return try all.filter { file in
      guard read.contains(ending(of: file)), Folders.isFile(file) else { return false }
      try checkInside(file, root)
      guard policy == .skip else { return true }
      do {
        try MappedFile(file, limit: PictureCut.largestFile).withBytes(ImageDecoder.check)
        return true
      } catch let error as CompressError where error.kind != .system {
        broken.add(.init(file: file, reason: error.message, isReplaced: false))
        return false
      }
    }
  }

  /// Endings of the files that are read, and of images that are not.
  private static let read: Set = ["jpg", "jpeg", "jpe", "jfif", "png"]
  private static let unread: Set = [
    "webp", "bmp", "gif", "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm", "pgm", "pnm", "tga", "svg",
  ]

  private static func ending(of file: String) -> String { file.splitByBytes(at: ".").last!.lowercased() }

  /// A symbolic link may not lead out of the folder that was named.
  private static func checkInside(_ path: String, _ root: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return }
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let inside = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
    guard real.hasPrefix(inside + "/") else {
      throw CompressError("a link that leads out of \(root)", kind: .input).at(file: path)
    }
  }
}
