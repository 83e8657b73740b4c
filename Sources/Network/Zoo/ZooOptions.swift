import Diagnostics
import Tensors

/// What a network of the zoo can be asked for.
public struct ZooOptions: Sendable, Hashable {
  /// How a residual network begins.
  public enum Stem: String, Sendable, CaseIterable {
    /// A 7x7 convolution of stride 2 and a pooling, for large images.
    case imagenet
    /// A 3x3 convolution, for small ones.
    case cifar
  }

  /// What turns a VGG network's features into scores.
  public enum Classifier: String, Sendable, CaseIterable {
    /// Two dense layers of 4,096 units with dropout, and the last.
    case full
    /// One dense layer.
    case linear
  }

  /// Height, width and channels of an image.
  public var input: Shape
  public var classes: Int
  public var stem = Stem.imagenet
  public var classifier = Classifier.full
  /// What every number of filters is multiplied with.
  public var width = 1.0
  /// The share of values that dropout removes; 0 leaves the layer out.
  public var dropout: Double

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
  func filters(divisibleByEight count: Int) -> Int {
    let wanted = Double(count) * width
    let nearest = max(8, Int((wanted + 4) / 8) * 8)
    return Double(nearest) < 0.9 * wanted ? nearest + 8 : nearest
  }
}
