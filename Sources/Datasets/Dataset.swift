import Diagnostics
import Network
import Tensors

/// Samples, labelled unless `hasLabels` says otherwise, that can be read in any order, from any thread.
///
/// A data set is a value that says where its samples come from; decoding waits for the first `read`.
/// Subsets (`taking`, `sampled`, `split` …) share what their base has decoded.
public protocol Dataset: Sendable {
  /// For people: tables, progress, errors.
  var name: String { get }
  /// Number of samples.
  var count: Int { get }
  /// The shape of one sample: [height, width, channels] for images.
  var sampleShape: Shape { get }
  /// Labels are in 0..<classCount.
  var classCount: Int { get }
  /// Whether it is known which class a sample is of; otherwise all labels are 0, and mean nothing.
  var hasLabels: Bool { get }
  /// What the classes are called, by label; nil where nobody said.
  var classNames: [String]? { get }
  /// How a picture becomes a sample; nil where samples are not made of pictures.
  var preprocessing: Preprocessing? { get }
  /// What the samples depend on; two data sets with equal identity (and equal file content) have equal samples.
  var identity: DatasetIdentity { get }
  /// Whether every read decodes files: then it pays to read ahead.
  var decodesOnRead: Bool { get }

  /// The data set as one epoch of a training sees it, counted from 0: itself, unless it is augmented. `Batches` asks.
  func atEpoch(_ number: Int) -> any Dataset

  /// Writes sample `indices[k]` to `images[k * sampleShape.count ..< (k + 1) * sampleShape.count]`, pixels from
  /// 0 to 1 unless `converted` made them something else, and its class to `labels[k]`.
  ///
  /// - Precondition: the indices are in 0..<count, and both buffers have room.
  /// - Throws: `CompressError`, with the file, when decoding finds the data broken.
  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>) throws
}

extension Dataset {
  public var hasLabels: Bool { true }
  public var decodesOnRead: Bool { false }
  public var classNames: [String]? { nil }
  public var preprocessing: Preprocessing? { nil }
  public func atEpoch(_ number: Int) -> any Dataset { self }

  /// The samples at `indices` as tensors.
  ///
  /// - Throws: `CompressError` when an index is outside the data set or decoding fails.
  public func batch(_ indices: [Int]) throws -> Batch {
    for index in indices where !(0..<count).contains(index) {
      throw CompressError("sample \(index) is outside \"\(name)\", which has \(count)")
    }
    var images = Tensor(zeros: sampleShape.batched(indices.count))
    var labels = [Int32](repeating: 0, count: indices.count)
    let size = sampleShape.count
    try images.withMutable(Float.self) { images in
      try labels.withUnsafeMutableBufferPointer { labels in
        // Some at a time, so that a request to stop is heard.
        for start in stride(from: 0, to: indices.count, by: 256) {
          try Cancellation.checkCurrent()
          let part = start..<min(start + 256, indices.count)
          try read(
            Array(indices[part]),
            images: UnsafeMutableBufferPointer(rebasing: images[part.lowerBound * size..<part.upperBound * size]),
            labels: UnsafeMutableBufferPointer(rebasing: labels[part]))
        }
      }
    }
    return Batch(images: images, labels: labels)
  }

  /// The samples of a range as tensors.
  public func batch(_ range: Range<Int>) throws -> Batch { try batch(Array(range)) }
}

extension Dataset {
  /// What to say of a value that cannot be computed with.
  ///
  /// - Parameter sample: its position, from 0.
  public func notFinite(_ value: Float, sample: Int) -> CompressError {
    CompressError(
      "\"\(name)\" has \(value) in \(place(of: sample))", kind: .input,
      hint: "leave the sample out, or mend the value: neither training nor calibration can use it")
  }

  /// Of a sample, counted from 0, where people look for it: `sample 41 of 64`, as the data set was opened, whatever
  /// parts were taken of it since.
  public func place(of sample: Int) -> String {
    if let subset = self as? Subset { return subset.base.place(of: subset.index(sample)) }
    if let converted = self as? Transformed { return converted.base.place(of: sample) }
    if let unlabelled = self as? Unlabelled { return unlabelled.base.place(of: sample) }
    return "sample \(sample + 1) of \(count)"
  }

  /// - Parameter first: the position of the batch's first sample, from 0; the others follow.
  /// - Throws: `CompressError` naming the sample when a value is infinite or NaN.
  public func checkFinite(_ batch: Batch, first: Int) throws {
    guard let bad = batch.images.firstNonFinite else { return }
    throw notFinite(bad.value, sample: first + bad.index / max(sampleShape.count, 1))
  }
}

extension Preprocessing {
  /// Of samples that are whole pictures, a byte to 1/255; nil of a shape that is no picture's.
  init?(pictures shape: Shape) {
    guard shape.rank == 3, let channels = Channels(count: shape[2]) else { return nil }
    guard let made = try? Preprocessing(height: shape[0], width: shape[1], channels: channels) else { return nil }
    self = made
  }
}

extension Preprocessing.Channels {
  fileprivate init?(count: Int) {
    guard let found = Self.allCases.first(where: { $0.count == count }) else { return nil }
    self = found
  }
}

/// Samples and their classes: `images` is [labels.count] + sampleShape, float32.
public struct Batch: Sendable {
  public let images: Tensor
  public let labels: [Int32]

  public var count: Int { labels.count }

  public init(images: Tensor, labels: [Int32]) {
    self.images = images
    self.labels = labels
  }
}
