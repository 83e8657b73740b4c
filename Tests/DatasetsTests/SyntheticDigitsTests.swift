import Foundation
import Tensors
import Testing

@testable import Datasets

struct SyntheticDigitsTests {
  @Test func theFirstImagesNeverChange() throws {
    let pair = SyntheticDigits.pair()
    #expect(pair.train.count == 20_000)
    #expect(pair.test.count == 5_000)
    #expect(try hash(pair.train.batch(0..<32).images) == 0x4ACD_B522_8490_9C49)
    #expect(try hash(pair.test.batch(0..<32).images) == 0x3824_302A_4345_C44C)
    #expect(try pair.train.batch(0..<10).labels == [3, 9, 0, 5, 1, 2, 8, 4, 7, 6])
  }

  @Test func samplesDoNotDependOnWhatElseIsRead() throws {
    let forwards = SyntheticDigits(count: 50, part: "train"), backwards = SyntheticDigits(count: 50, part: "train")
    let all = try forwards.batch(0..<50)
    let reversed = try backwards.batch((0..<50).reversed())
    let again = try backwards.batch(0..<50)
    #expect(hash(all.images) == hash(again.images))
    #expect(all.labels == again.labels)
    #expect(all.labels.reversed() == reversed.labels)
    let larger = try SyntheticDigits(count: 500, part: "train").batch(0..<50)
    #expect(hash(larger.images) == hash(all.images))
  }

  @Test func threadsGetTheSamePixels() throws {
    let data = SyntheticDigits(count: 200, part: "train")
    let expected = hash(try SyntheticDigits(count: 200, part: "train").batch(0..<200).images)
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      let batch = try? data.batch(0..<200)
      #expect(batch.map { hash($0.images) } == expected)
    }
  }

  @Test func partsAndSeedsDiffer() throws {
    let sets = [
      SyntheticDigits(count: 100, part: "train"), SyntheticDigits(count: 100, part: "test"),
      SyntheticDigits(count: 100, part: "train", seed: 1),
    ]
    #expect(Set(sets.map(\.identity)).count == 3)
    var images: Set<UInt64> = []
    for set in sets { for index in 0..<100 { images.insert(hash(try set.batch([index]).images)) } }
    #expect(images.count == 300, "no image twice")
  }

  @Test func everyTenSamplesHoldEveryDigit() throws {
    let labels = try SyntheticDigits(count: 205, part: "train").batch(0..<205).labels
    for start in stride(from: 0, to: 200, by: 10) {
      #expect(labels[start..<(start + 10)].sorted() == Array(0..<10))
    }
    #expect(Set(labels[200...]).count == 5)
  }

  @Test func pixelsAreInkOnPaper() throws {
    let data = SyntheticDigits(count: 1_000, part: "train")
    for index in 0..<data.count {
      let pixels = try data.batch([index]).images.array(Float.self)
      #expect(pixels.allSatisfy { (0...1).contains($0) })
      let dark = pixels.count { $0 > 0.4 }
      #expect((10...400).contains(dark), "sample \(index): \(dark) dark pixels")
    }
  }

  /// Nearest class mean: far from chance, yet no substitute for a network.
  @Test func digitsCanBeToldApart() throws {
    let pair = SyntheticDigits.pair()
    let train = try pair.train.batch(0..<2_000), test = try pair.test.batch(0..<500)
    var means = [[Float]](repeating: [Float](repeating: 0, count: 784), count: 10)
    let pixels = train.images.array(Float.self), unknown = test.images.array(Float.self)
    for (k, label) in train.labels.enumerated() {
      for i in 0..<784 { means[Int(label)][i] += pixels[k * 784 + i] / 200 }
    }
    let right = test.labels.indices.count { k in
      let distances = means.map { mean in
        (0..<784).reduce(Float(0)) { $0 + (mean[$1] - unknown[k * 784 + $1]) * (mean[$1] - unknown[k * 784 + $1]) }
      }
      return distances.firstIndex(of: distances.min()!) == Int(test.labels[k])
    }
    #expect((250...475).contains(right), "\(right) of 500 right")
  }

  @Test func everySkeletonIsWhole() {
    #expect(DigitShapes.skeletons.count == 10)
    for skeleton in DigitShapes.skeletons.joined() {
      #expect(skeleton.allSatisfy { $0.count >= 2 })
      #expect(skeleton.joined().allSatisfy { (0...1).contains($0.x) && (0...1).contains($0.y) })
    }
  }
}
