import Diagnostics
import Tensors

/// What a network of the zoo can be asked for.
public struct ZooOptions: Sendable, Hashable {
  /// How a network begins.
  public enum Stem: String, Sendable, CaseIterable {
    /// As published, for large images: a convolution of stride 2, in some a pooling, or patches of 16x16 or 4x4 pixels.
    case imagenet
    /// For small ones: a convolution of stride 1 and no pooling, or patches of 4x4 or 2x2 pixels.
    case cifar
  }

  /// How a U-Net makes images larger.
  public enum Upsampling: String, Sendable, CaseIterable { case bilinear, nearest }

  /// What turns a VGG network's features into scores.
  public enum Classifier: String, Sendable, CaseIterable {
    /// Two dense layers of 4,096 units with dropout, and the last.
    case full
    /// One dense layer.
    case linear
  }

  /// Height, width and channels of an image, or the length of a vector.
  public var input: Shape
  public var classes: Int
  public var stem = Stem.imagenet
  public var classifier = Classifier.full
  /// What every number of filters is multiplied with.
  public var width = 1.0
  /// The share of values that dropout removes; 0 leaves the layer out.
  public var dropout: Double
  /// How often a U-Net halves its image.
  public var depth = 4
  public var upsampling = Upsampling.bilinear

  public init(
    input: Shape, classes: Int = 10, stem: Stem = .imagenet, classifier: Classifier = .full, width: Double = 1,
    dropout: Double = 0
  ) {
    self.input = input
    self.classes = classes
    self.stem = stem
    self.classifier = classifier
    self.width = width
    self.dropout = dropout
  }

  /// A number of filters times the width, at least one.
  func filters(_ count: Int) -> Int { max(1, Int((Double(count) * width).rounded())) }

  /// The same as a multiple of 8 that is not more than a tenth below (Sandler et al. 2018).
  func filters(divisibleByEight count: Int) -> Int { Self.divisibleByEight(Double(count) * width) }

  static func divisibleByEight(_ wanted: Double) -> Int {
    let nearest = max(8, Int((wanted + 4) / 8) * 8)
    return Double(nearest) < 0.9 * wanted ? nearest + 8 : nearest
  }

  /// Height (0) or width (1) of an image; 0 of anything else, which the first layer refuses.
  func extent(_ axis: Int) -> Int { input.rank == 3 ? input[axis] : 0 }

  /// The stride of a first convolution that published networks give 2.
  var firstStride: Int { stem == .imagenet ? 2 : 1 }
}
