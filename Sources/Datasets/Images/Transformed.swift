import Diagnostics
import Network
import Tensors

/// Another data set's images, converted as they are read: channels, size, augmentation, then the numbers of the pixels.
public struct Transformed: Dataset {
  let base: any Dataset
  let options: ImageOptions
  fileprivate(set) var augmentation: Augmentation?
  public let sampleShape: Shape
  private let resampling: Resampling?
  private var epoch = 0

  public var name: String { base.name }
  public var count: Int { base.count }
  public var classCount: Int { base.classCount }
  public var classNames: [String]? { base.classNames }
  public var hasLabels: Bool { base.hasLabels }
  public var decodesOnRead: Bool { base.decodesOnRead }

  /// Pictures are cut out as the base does it, then resized, then their numbers changed.
  public var preprocessing: Preprocessing? {
    guard let first = base.preprocessing, let whole = Preprocessing(pictures: sampleShape) else { return nil }
    let numbers = options.normalization
    return try? Preprocessing(
      crop: first.crop, height: whole.height, width: whole.width, channels: whole.channels, scale: numbers.scale,
      mean: numbers.mean, deviation: numbers.deviation)
  }

  public var identity: DatasetIdentity {
    var steps: [String] = []
    if sampleShape != base.sampleShape { steps.append("images \(sampleShape.dims), bilinear") }
    if !options.normalization.isIdentity { steps.append(options.normalization.description) }
    if let augmentation { steps.append(augmentation.description) }
    return steps.reduce(base.identity) { $0.adding($1) }
  }

  /// - Throws: `CompressError` when the samples cannot be made what is asked for.
  init(_ base: any Dataset, _ options: ImageOptions, _ augmentation: Augmentation? = nil) throws {
    self.base = base
    self.options = options
    self.augmentation = augmentation
    sampleShape = try options.shape(from: base.sampleShape)
    try augmentation?.check(sampleShape)
    let source = base.sampleShape
    resampling =
      source.rank == 3 && source.dims.prefix(2) != sampleShape.dims.prefix(2)
      ? Resampling(from: (source[0], source[1]), to: (sampleShape[0], sampleShape[1])) : nil
  }

  public func atEpoch(_ number: Int) -> any Dataset {
    var copy = self
    copy.epoch = number
    return copy
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let size = sampleShape.count
    precondition(images.count >= indices.count * size && labels.count >= indices.count, "buffers too small")
    if sampleShape == base.sampleShape {
      try base.read(indices, images: images, labels: labels)
    } else {
      try convert(indices, images: images, labels: labels)
    }
    let draws = augmentation.map { augmentation in indices.map { augmentation.draw(epoch: epoch, index: $0) } }
    if let augmentation, let draws, let start = images.baseAddress {
      withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { scratch in
        for (k, draw) in draws.enumerated() {
          augmentation.apply(draw, to: start + k * size, shape: sampleShape, scratch: scratch.baseAddress!)
        }
      }
    }
    if !options.normalization.isIdentity {
      options.normalization.apply(
        UnsafeMutableBufferPointer(rebasing: images[..<(indices.count * size)]), channels: sampleShape.dims.last ?? 1)
    }
    if let augmentation, let draws, let start = images.baseAddress {
      for (k, draw) in draws.enumerated() { augmentation.cut(draw, start + k * size, shape: sampleShape) }
    }
  }

  /// One image at a time: the sources may be much larger than what becomes of them.
  private func convert(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let source = base.sampleShape, pixels = source[0] * source[1], channels = sampleShape[2]
    let scratch = UnsafeMutableBufferPointer<Float>.allocate(
      capacity: source.count + pixels * channels + (resampling?.scratchCount(channels: channels) ?? 0))
    defer { scratch.deallocate() }
    let image = UnsafeMutableBufferPointer(rebasing: scratch[..<source.count])
    let converted = scratch.baseAddress! + source.count
    for (k, index) in indices.enumerated() {
      let output = images.baseAddress! + k * sampleShape.count
      try base.read([index], images: image, labels: UnsafeMutableBufferPointer(rebasing: labels[k...k]))
      guard let resampling else {
        Channels.convert(image.baseAddress!, pixels: pixels, from: source[2], to: channels, output: output)
        continue
      }
      Channels.convert(image.baseAddress!, pixels: pixels, from: source[2], to: channels, output: converted)
      resampling.apply(
        to: output, scratch: converted + pixels * channels, channels: channels
      ) { y, row in row.update(from: converted + y * source[1] * channels, count: source[1] * channels) }
    }
  }
}

extension Dataset {
  /// The same samples without their augmentation: what is measured on.
  public var unaugmented: any Dataset {
    if let subset = self as? Subset { return subset.over(subset.base.unaugmented) }
    if let unlabelled = self as? Unlabelled { return unlabelled.base.unaugmented.unlabelled }
    guard var own = self as? Transformed else { return self }
    own.augmentation = nil
    return own
  }

  /// The image folder that the samples come from, if it is one.
  public var imageFolder: ImageFolder? {
    (self as? ImageFolder) ?? (self as? Subset)?.base.imageFolder ?? (self as? Transformed)?.base.imageFolder
      ?? (self as? Unlabelled)?.base.imageFolder
  }

  /// The same samples as other images, see `ImageOptions`. Options given twice replace each other as a whole.
  ///
  /// - Throws: `CompressError` when the samples cannot be made what is asked for.
  public func converted(_ options: ImageOptions) throws -> any Dataset {
    if let subset = self as? Subset { return subset.over(try subset.base.converted(options)) }
    if let unlabelled = self as? Unlabelled { return try unlabelled.base.converted(options).unlabelled }
    let own = self as? Transformed
    return try Transformed(own?.base ?? self, options, own?.augmentation)
  }

  /// The same samples, changed at random in each epoch, see `Augmentation`; one given before is replaced.
  ///
  /// - Throws: `CompressError` when the samples are no images or a number is out of range for them.
  public func augmented(_ augmentation: Augmentation) throws -> any Dataset {
    if let subset = self as? Subset { return subset.over(try subset.base.augmented(augmentation)) }
    if let unlabelled = self as? Unlabelled { return try unlabelled.base.augmented(augmentation).unlabelled }
    let own = self as? Transformed
    return try Transformed(own?.base ?? self, own?.options ?? ImageOptions(), augmentation)
  }
}
