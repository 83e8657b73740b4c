import Foundation
import Testing

/// Files that other programs made, `Tests/Fixtures`, where the program reads them: confined, with a process for HDF5.
@Suite struct ForeignFileTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func fixture(_ name: String) -> String { "\(sourceRoot)/Tests/Fixtures/\(name)" }

  @Test(
    arguments: [
      ("sequential.keras", "scores/softmax"), ("sequential2.h5", "depthwise_conv2d"), ("nested.keras", "inner/conv 2"),
      ("checkpoint.pth", "conv.channels_last"), ("checkpoint-old.pth", "bn.num_batches_tracked"),
    ])
  func inspected(_ name: String, _ layer: String) throws {
    let outcome = try compress(["inspect", fixture(name)], cache: folder)
    #expect(outcome.status == 0 && outcome.output.contains(layer), "\(outcome.errors)")
  }

  @Test(
    arguments: [
      ("lambda.keras", "model.export("), ("module.pth", "state_dict()"), ("script.pt", "torch.jit.load("),
      ("program.pt2", "torch.export.load("),
    ])
  func answered(_ name: String, _ hint: String) throws {
    let outcome = try compress(["inspect", fixture(name)], cache: folder)
    #expect(outcome.status == 2 && outcome.errors.contains(hint), "\(outcome.errors)")
  }

  @Test func foldersAreAnswered() throws {
    let saved = folder.path + "/saved"
    try FileManager.default.createDirectory(atPath: saved, withIntermediateDirectories: true)
    try Data([8, 1]).write(to: URL(fileURLWithPath: saved + "/saved_model.pb"))
    let outcome = try compress(["inspect", saved], cache: folder)
    #expect(outcome.status == 2 && outcome.errors.contains("tf2onnx.convert --saved-model"), "\(outcome.errors)")
  }

  @Test func inScripts() throws {
    for name in ["nested.h5", "training.pth"] {
      try FileManager.default.copyItem(atPath: fixture(name), toPath: "\(folder.path)/\(name)")
    }
    let script = """
      print(load_model("nested.h5"):cost().parameters)
      local network = net.model { input = { 3 }, net.dense(2, { name = "fc" }) }
      print(load_model("training.pth", { into = network }):cost().parameters)
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: folder.path + "/a.lua"))
    let run = try compress(["run", folder.path + "/a.lua"], cache: folder)
    #expect(run.status == 0 && run.output.contains("\n8"), "\(run.output)\(run.errors)")
    for command in ["plan", "check"] {
      let outcome = try compress([command, folder.path + "/a.lua"], cache: folder)
      #expect(outcome.status == 0, "\(command): \(outcome.output)\(outcome.errors)")
    }
  }

  /// HDF5 is read by another program, which has to lie beside this one.
  @Test func withoutTheOtherProgram() throws {
    let alone = folder.path + "/compress"
    do { try FileManager.default.linkItem(atPath: program, toPath: alone) } catch {
      try FileManager.default.copyItem(atPath: program, toPath: alone)
    }
    let running = try Running(["inspect", fixture("sequential.h5")], cache: folder, program: alone)
    let outcome = try running.wait()
    #expect(
      outcome.status == 3 && outcome.errors.contains("copy compress-hdf5 along with compress"), "\(outcome.errors)")
  }
}
