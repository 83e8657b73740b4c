import Foundation
import Formats
import Network
import Runtime
import Tensors
import TestSupport
import Testing

/// A Python with torchvision, timm and safetensors: `$COMPRESS_TEST_PYTHON`; Tests/soak/pytorch-networks.sh makes one.
private let python = PythonInterpreter.path(importing: "safetensors, timm, torchvision")

/// Networks of the zoo with the random weights of torchvision's and timm's, or of their descriptions in PyTorch, which
/// load by name: the same outputs.
@Suite(
  .enabled(
    if: python != nil,
    "SKIPPED: set COMPRESS_TEST_PYTHON to a Python interpreter that has torchvision, timm and safetensors"),
  .serialized)
struct PyTorchNetworkTests {
  static let networks = [
    "resnet18", "resnet50", "vgg16", "vgg16_bn", "mobilenet_v2", "inception_v3", "mobilenet_v3_small",
    "mobilenet_v3_large", "efficientnet_b0", "efficientnet_lite0", "squeezenet1_1", "shufflenet_v2", "densenet121",
    "regnet_y_400mf", "convnext_tiny", "deit_tiny", "unet", "mobilenet_v1", "ds_cnn", "autoencoder", "detector",
  ]
  /// Those that PyTorch's libraries do not have, and presets.
  static let others = [
    "lab_cnn", "quick_cnn", "lenet_300_100", "lenet5", "resnet8", "resnet20", "resnet32", "resnet56",
    "resnet18_cifar", "vgg16_bn_cifar", "inception_v3_75",
  ]

  @Test func everyNetworkIsInTheTable() {
    #expect((Self.networks + Self.others).sorted() == Zoo.entries.map(\.name).sorted())
  }

  @Test(arguments: networks) func outputsAreTheSame(_ name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python!)
    process.arguments = [
      URL(filePath: #filePath).deletingLastPathComponent().path + "/pytorch_network.py", name, folder.path,
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "the Python script failed")

    let entry = try Zoo.entry(name)
    let file = try SafeTensorsFile(folder.path + "/weights.safetensors")
    let model = try file.model(entry.graph(entry.defaults))
    // Written again, tensors have the same names and shapes.
    let written = folder.path + "/written.safetensors"
    try ModelFile.write(model, to: written)
    func shapes(_ file: SafeTensorsFile) -> [String: Shape] {
      Dictionary(
        uniqueKeysWithValues: file.entries.filter {
          !$0.name.hasSuffix("num_batches_tracked") && !$0.name.hasPrefix("AuxLogits.")
        }.map { ($0.name, $0.shape) })
    }
    #expect(try shapes(SafeTensorsFile(written)) == shapes(file))

    func floats(_ name: String) throws -> [Float] {
      try Data(contentsOf: folder.appendingPathComponent(name)).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
    let expected = try floats("output.f32")
    let input = try Tensor(floats("input.f32"), Shape([1] + entry.defaults.input.dims))
    let actual: [Float] = try Session(compile(model)).run(input).array()
    try #require(actual.count == expected.count)
    let error = zip(actual, expected).map { abs($0 - $1) }.max()! / expected.map(abs).max()!
    print("\(name): outputs differ by \(error) of the largest")
    #expect(error <= 1e-4)
  }
}
