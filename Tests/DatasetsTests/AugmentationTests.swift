import Dispatch
import Tensors
import Testing

@testable import Datasets

struct AugmentationTests {
  /// Six images of 4x4 whose pixels are all different and not black.
  let data = GivenDataset([4, 4, 1], (0..<6).map { n in (0..<16).map { Float(n * 16 + $0 + 1) / 128 } })

  func options(_ set: (inout Augmentation) -> Void) -> Augmentation {
    var options = Augmentation()
    options.seed = 5
    set(&options)
    return options
  }

  func pixels(_ data: any Dataset, epoch: Int = 0, _ indices: [Int] = Array(0..<6)) throws -> [[Float]] {
    let size = data.sampleShape.count
    let all = try data.atEpoch(epoch).batch(indices).images.array(Float.self)
    return indices.indices.map { Array(all[($0 * size)..<(($0 + 1) * size)]) }
  }

  @Test func nothingAskedForNothingChanged() throws {
    #expect(try pixels(data.augmented(options { _ in })) == data.samples)
  }

  @Test func flippedImagesAreMirrored() throws {
    let flipped = try data.augmented(options { $0.flip = true })
    var mirrored = 0
    for epoch in 0..<20 {
      for (image, original) in zip(try pixels(flipped, epoch: epoch), data.samples) where image != original {
        mirrored += 1
        for y in 0..<4 { #expect(Array(image[(4 * y)..<(4 * y + 4)]) == original[(4 * y)..<(4 * y + 4)].reversed()) }
      }
    }
    #expect((40...80).contains(mirrored), "\(mirrored) of 120")
  }

  func cropped(_ image: [Float], _ top: Int, _ left: Int, _ flips: Bool) -> [Float] {
    (0..<16).map { i in
      let y = i / 4 + top, x = (flips ? 3 - i % 4 : i % 4) + left
      return (0..<4).contains(y) && (0..<4).contains(x) ? image[4 * y + x] : 0
    }
  }

  @Test func cropsAreShiftedAndFramedInBlack() throws {
    let shifted = try data.augmented(
      options {
        $0.padCrop = 2; $0.flip = true
      })
    var shifts: Set<[Int]> = []
    for epoch in 0..<40 {
      for (image, original) in zip(try pixels(shifted, epoch: epoch), data.samples) {
        // Some shift and flip explains every pixel.
        var explanation: (Int, Int)?
        for top in -2...2 {
          for left in -2...2 where explanation == nil {
            for flips in [false, true] where cropped(original, top, left, flips) == image { explanation = (top, left) }
          }
        }
        #expect(explanation != nil)
        if let explanation { shifts.insert([explanation.0, explanation.1]) }
      }
    }
    #expect(shifts.count > 20, "\(shifts.count) of 25 shifts")
    // A frame larger than the image may leave nothing of it.
    #expect(
      try pixels(
        data.augmented(
          options {
            $0.padCrop = 50; $0.flip = true
          })
      ).count == 6)
  }

  @Test func colourStaysInRange() throws {
    let colour = GivenDataset([2, 2, 3], (0..<8).map { n in (0..<12).map { Float(($0 * 7 + n) % 12) / 11 } })
    for set in [
      options { $0.brightness = 1 }, options { $0.contrast = 1 }, options { $0.saturation = 1 },
    ] {
      let images = try pixels(colour.augmented(set), Array(0..<8))
      #expect(images.joined().allSatisfy { (0...1).contains($0) })
      #expect(images != colour.samples)
    }
    // Grey stays grey, whatever the saturation.
    let grey = GivenDataset([1, 2, 3], [[0.5, 0.5, 0.5, 0.25, 0.25, 0.25]])
    let result = try pixels(grey.augmented(options { $0.saturation = 1 }), [0])[0]
    #expect(zip(result, grey.samples[0]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func cutoutComesAfterNormalization() throws {
    var normalized = ImageOptions()
    normalized.normalization = try Normalization(mean: [2], deviation: [1])
    let cut = try data.converted(normalized).augmented(options { $0.cutout = 2 })
    var zeros: [Int] = []
    for epoch in 0..<10 {
      for (image, original) in zip(try pixels(cut, epoch: epoch), data.samples) {
        zeros.append(image.count { $0 == 0 })
        #expect(zip(image, original).allSatisfy { $0 == 0 || $0 == $1 - 2 })
      }
    }
    #expect(zeros.max() == 4)
    #expect(zeros.allSatisfy { (1...4).contains($0) })
  }

  @Test func theSameSeedEpochAndImageGiveTheSamePicture() throws {
    let all = options {
      $0.padCrop = 1; $0.flip = true; $0.brightness = 0.5; $0.contrast = 0.5; $0.cutout = 1
    }
    let augmented = try data.augmented(all)
    let expected = try pixels(augmented, epoch: 3)
    #expect(try pixels(augmented, epoch: 3, [4, 1]) == [expected[4], expected[1]])
    #expect(try pixels(augmented, epoch: 4) != expected)
    var other = all
    other.seed = 6
    #expect(try pixels(data.augmented(other), epoch: 3) != expected)
    // An image keeps its picture in a choice of images.
    #expect(try pixels(data.dropping(2).augmented(all), epoch: 3, [0, 3]) == [expected[2], expected[5]])
    #expect(try pixels(augmented.dropping(2), epoch: 3, [0, 3]) == [expected[2], expected[5]])
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      let index = thread % 6
      #expect((try? pixels(augmented, epoch: 3, [index])) == [expected[index]])
    }
    // Batches know their epoch.
    let batch = try Batches(augmented, size: 6, epoch: 3).batch(0)
    #expect(batch.images.array(Float.self) == Array(expected.joined()))
  }

  @Test func identitiesFollowTheOptions() throws {
    let sets: [(inout Augmentation) -> Void] = [
      { _ in }, { $0.padCrop = 1 }, { $0.flip = true }, { $0.brightness = 0.5 }, { $0.contrast = 0.5 },
      { $0.cutout = 1 }, { $0.seed = 6 },
    ]
    let identities = try sets.map { try data.augmented(options($0)).identity } + [data.identity]
    #expect(Set(identities).count == identities.count)
    #expect(try data.augmented(options { $0.flip = true }).augmented(options { _ in }).identity == identities[0])
  }

  @Test func whatCannotBeIsSaid() throws {
    #expect(
      try failure { try data.augmented(options { $0.saturation = 0.5 }) }.message
        == "saturation is for colour; the images have 1 channel")
    #expect(try failure { try data.augmented(options { $0.brightness = 1.5 }) }.message.hasPrefix("brightness"))
    #expect(try failure { try data.augmented(options { $0.padCrop = -1 }) }.message.hasPrefix("pad_crop -1"))
    #expect(
      try failure { try GivenDataset([4], []).augmented(options { _ in }) }.message
        == "samples of shape [4] are no images [height, width, channels] to augment")
  }
}
