import Datasets
import Foundation
import Kernels
import Network
import Testing

@testable import Training

/// The folder that holds `mnist/`: `$COMPRESS_TEST_DATA`, or `../shared/data` beside the package.
private let dataFolder: String? = {
  let beside = URL(filePath: #filePath).appending(path: "../../../../shared/data").standardized
  let places = [
    ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], beside.path(percentEncoded: false),
  ]
  return places.compactMap { $0 }.first { FileManager.default.fileExists(atPath: "\($0)/mnist") }
}()

@Suite struct MNISTTests {
  @Test(.enabled(if: dataFolder != nil, "SKIPPED: no MNIST; set COMPRESS_TEST_DATA to the folder that holds mnist/"))
  func labCNNInOneEpoch() throws {
    let mnist = try DatasetCatalog.open("mnist", roots: [dataFolder!])
    let entry = try Zoo.entry("lab_cnn")
    let model = try Model(initializing: entry.graph([28, 28, 1], 10), entry.initialization, seed: 1)
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    let (trained, curve) = try Trainer(
      model: model, options: TrainingOptions(batchSize: 128, learningRate: .constant(0.005), seed: 1),
      data: mnist.train, pool: pool
    ).run()
    #expect(curve.epochs[0].images == 60_000)
    #expect(try accuracy(trained, mnist.test, pool: pool) >= 0.945)
  }
}
