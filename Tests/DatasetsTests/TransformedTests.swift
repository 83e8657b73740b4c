import Tensors
import Testing

@testable import Datasets

struct TransformedTests {
  func options(_ set: (inout ImageOptions) throws -> Void) rethrows -> ImageOptions {
    var options = ImageOptions()
    try set(&options)
    return options
  }

  @Test func normalizationIsByChannel() throws {
    let data = GivenDataset([1, 2, 2], [[0, 0.5, 1, 0.25], [1, 1, 1, 1]])
    let both = try data.converted(
      options { $0.normalization = try Normalization(mean: [0.5, 0], deviation: [0.5, 0.25]) })
    #expect(try both.batch(0..<2).images.array(Float.self) == [-1, 2, 1, 1, 1, 4, 1, 4])
    let one = try data.converted(options { $0.normalization = try Normalization(mean: [0.5], deviation: [0.5]) })
    #expect(try one.batch([0]).images.array(Float.self) == [-1, 0, 1, -0.5])
    #expect(one.identity != both.identity)
    #expect(one.identity != data.identity)
  }

  /// What a network that was trained on bytes gets is those bytes, exactly.
  @Test func scaledPixelsAreTheBytes() throws {
    let data = GivenDataset([16, 16, 1], [(0..<256).map { Float($0) / 255 }])
    let raw = try data.converted(options { $0.normalization = try Normalization(scale: 255) })
    #expect(try raw.batch([0]).images.array(Float.self) == (0..<256).map(Float.init))
  }

  @Test func greyAndColour() throws {
    let grey = GivenDataset([1, 2, 1], [[0.25, 1]])
    let repeated = try grey.converted(options { $0.channels = 3 }).batch([0]).images.array(Float.self)
    #expect(repeated == [0.25, 0.25, 0.25, 1, 1, 1])
    let colour = GivenDataset([1, 2, 3], [[1, 0, 0, 1, 1, 1]])
    let luma = try colour.converted(options { $0.channels = 1 }).batch([0]).images.array(Float.self)
    #expect(abs(luma[0] - 0.299) < 1e-6)
    #expect(abs(luma[1] - 1) < 1e-6)
  }

  /// By hand: centres at half-integers, edges repeated.
  @Test func resizingUpwards() throws {
    let data = GivenDataset([1, 2, 1], [[0, 1]])
    let wide = try data.converted(options { $0.size = [2, 4] }).batch([0]).images
    #expect(wide.shape == [1, 2, 4, 1])
    #expect(wide.array(Float.self) == [0, 0.25, 0.75, 1, 0, 0.25, 0.75, 1])
  }

  @Test func resizingDownwardsCountsEveryPixel() throws {
    let data = GivenDataset([1, 4, 1], [[0, 0, 0, 8]])
    // The triangle reaches two pixels either side of 1 and 3, and is cut at the edges: weights 3/7 3/7 1/7.
    let half = try data.converted(options { $0.size = [1, 2] }).batch([0]).images.array(Float.self)
    #expect(half[0] == 0)
    #expect(abs(half[1] - 8 * 3 / 7) < 1e-6)
    let even = GivenDataset([7, 5, 3], [[Float](repeating: 0.5, count: 105)])
    for size in [[1, 1], [2, 3], [7, 4], [13, 11]] {
      let pixels = try even.converted(options { $0.size = size }).batch([0]).images.array(Float.self)
      #expect(pixels.count == size[0] * size[1] * 3)
      #expect(pixels.allSatisfy { abs($0 - 0.5) < 1e-6 })
    }
  }

  @Test func everythingAtOnceAndInParts() throws {
    let data = GivenDataset([2, 2, 3], (0..<4).map { n in (0..<12).map { Float($0 + n) / 16 } })
    let all = options {
      $0.size = [5, 3]; $0.channels = 1; $0.normalization = .named["mnist"]!
    }
    let converted = try data.converted(all)
    #expect(converted.sampleShape == [5, 3, 1])
    #expect(converted.name == "given")
    let whole = try converted.batch(0..<4)
    #expect(whole.labels == [0, 1, 0, 1])
    for index in 0..<4 {
      #expect(
        try converted.batch([index]).images.array(Float.self)
          == Array(whole.images.array(Float.self)[(index * 15)..<((index + 1) * 15)]))
    }
    // A choice of the converted is the converted choice.
    let choice = try data.dropping(1).taking(2)
    #expect(
      try choice.converted(all).batch(0..<2).images.array(Float.self)
        == converted.dropping(1).taking(2).batch(0..<2).images.array(Float.self))
    #expect(try choice.converted(all).identity == converted.dropping(1).taking(2).identity)
    // Asked again, the new options hold alone.
    #expect(try converted.converted(ImageOptions()).sampleShape == [2, 2, 3])
  }

  @Test func whatCannotBeIsSaid() throws {
    let colour = GivenDataset([2, 2, 3], [])
    #expect(try failure { try colour.converted(options { $0.size = [0, 3] }) }.message.hasSuffix("not [0, 3]"))
    #expect(try failure { try colour.converted(options { $0.size = [5] }) }.message.hasSuffix("not [5]"))
    #expect(try failure { try colour.converted(options { $0.size = [4097, 1] }) }.message.contains("4096"))
    #expect(try failure { try colour.converted(options { $0.channels = 2 }) }.message.hasPrefix("images of 3 channels"))
    #expect(
      try failure { try GivenDataset([2, 2, 1], []).converted(options { $0.normalization = .named["imagenet"]! }) }
        .message == "3 means for images of 1 channel")
    #expect(
      try failure { try GivenDataset([4], []).converted(options { $0.size = [2, 2] }) }.message
        == "samples of shape [4] are no images [height, width, channels]")
    #expect(throws: (any Error).self) { try Normalization(mean: [0], deviation: [0]) }
    #expect(throws: (any Error).self) { try Normalization(mean: [0, 1], deviation: [1]) }
    #expect(throws: (any Error).self) { try Normalization(mean: [.nan], deviation: [1]) }
    #expect(throws: (any Error).self) { try Normalization(scale: .infinity) }
  }
}
