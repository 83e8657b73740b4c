import Analysis
import Datasets
import Formats
import Foundation
import Kernels
import Network
import Testing

@testable import Pipeline

/// Where trained networks and their data are: `$COMPRESS_TEST_DATA`, or `shared/data` beside the source tree.
private let trainedFolder: String? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  let candidates = [ProcessInfo.processInfo.environment["COMPRESS_TEST_DATA"], root + "/../shared/data"]
  return candidates.compactMap { $0 }.first {
    FileManager.default.fileExists(atPath: $0 + "/models/cifar10-torchvision")
  }
}()

private let isSoak = ProcessInfo.processInfo.environment["COMPRESS_SOAK"] != nil

/// Networks that others trained reach the accuracy that they were published with.
@Suite struct TrainedNetworkTests {
  struct Trained: CustomTestStringConvertible, Sendable {
    let network: String
    let file: String
    let data: String
    let normalization: @Sendable () throws -> Normalization
    /// Of all 10,000 test images, as published.
    let correct: Int
    /// Of the first thousand alone, counted here: what is checked of the large ones but in `make soak`.
    var first1000: Int?
    var form = "safetensors"
    /// Whether the file has the network, too.
    var isWhole: Bool { form == "h5" }
    var testDescription: String { form == "safetensors" ? network : "\(network).\(form)" }
  }

  static let all: [Trained] = [
    Trained(
      network: "lenet_300_100", file: "lenet-300-100/lenet300100_dense", data: "mnist",
      normalization: { try Normalization(mean: [0.1307], deviation: [0.3081]) }, correct: 9816),
    Trained(
      network: "resnet8", file: "mlperf-tiny/image_classification/resnet8", data: "cifar10",
      normalization: { try Normalization(scale: 255) }, correct: 8719),
    Trained(
      network: "resnet8", file: "mlperf-tiny/image_classification/pretrainedResnet", data: "cifar10",
      normalization: { try Normalization(scale: 255) }, correct: 8719, form: "h5"),
    Trained(
      network: "resnet20", file: "cifar10-resnet/resnet20-12fca82f", data: "cifar10",
      normalization: { try Normalization(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]) },
      correct: 9173),
    Trained(
      network: "resnet20", file: "cifar10-resnet/resnet20-12fca82f", data: "cifar10",
      normalization: { try Normalization(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]) },
      correct: 9173, form: "th"),
    Trained(
      network: "resnet32", file: "cifar10-resnet/resnet32-d509ac18", data: "cifar10",
      normalization: { try Normalization(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]) },
      correct: 9263),
    Trained(
      network: "resnet18_cifar", file: "cifar10-torchvision/resnet18_cifar10", data: "cifar10",
      normalization: { try Normalization(mean: [0.4914, 0.4822, 0.4465], deviation: [0.2470, 0.2435, 0.2616]) },
      correct: 9031, first1000: 910),
    Trained(
      network: "vgg16_bn_cifar", file: "cifar10-torchvision/vgg16_bn_cifar10", data: "cifar10",
      normalization: { try Normalization(mean: [0.4914, 0.4822, 0.4465], deviation: [0.2470, 0.2435, 0.2616]) },
      correct: 8868, first1000: 892),
  ]

  @Test(
    .enabled(
      if: trainedFolder != nil,
      "SKIPPED: no trained networks; set COMPRESS_TEST_DATA to the folder that holds models/"),
    arguments: all)
  func reachesItsAccuracy(_ trained: Trained) throws {
    let folder = try #require(trainedFolder)
    let entry = try Zoo.entry(trained.network)
    let path = "\(folder)/models/\(trained.file).\(trained.form)"
    let model = try trained.isWhole ? ModelFile.read(path) : ModelFile.weights(path).model(entry.graph(entry.defaults))
    var options = DatasetCatalog.Options()
    options.images.normalization = try trained.normalization()
    let test = try DatasetCatalog.open(trained.data, roots: [folder], options: options).test
    let context = StageContext(pool: try ThreadPool(threads: 2))
    if let first = trained.first1000, !isSoak {
      #expect(try abs(Evaluation(model, on: test.taking(1000), context: context.work).correct - first) <= 1)
    } else {
      let correct = try Evaluation(model, on: test, context: context.work).correct
      #expect(abs(correct - trained.correct) <= 2, "\(correct) of 10,000")
    }
  }

  @Test(
    .enabled(if: trainedFolder != nil, "SKIPPED: no trained networks"),
    arguments: all.filter { $0.form == "safetensors" })
  func savedAgainItHasTheSameBytes(_ trained: Trained) throws {
    let entry = try Zoo.entry(trained.network)
    let file = try SafeTensorsFile("\(#require(trainedFolder))/models/\(trained.file).safetensors")
    let model = try file.model(entry.graph(entry.defaults))
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trained-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try SafeTensorsFile.write(model, to: folder + "/again.safetensors")
    let again = try SafeTensorsFile(folder + "/again.safetensors")
    #expect(Set(again.entries.map(\.name)) == Set(file.entries.map(\.name)))
    let reread = try again.model(model.graph)
    for (a, b) in zip(model.allParameters, reread.allParameters) {
      #expect(a.parameter.values.withBytes { x in b.parameter.values.withBytes { x.elementsEqual($0) } }, "\(a.layer)")
    }
  }
}
