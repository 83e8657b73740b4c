import Foundation
import Testing

/// `make install`: what lies where, and that it works from there.
@Suite struct InstallTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// The folder that stands for the machine's root; the prefix below it.
  private var root: String { folder.path + "/root" }
  private var prefix: String { root + "/opt/tools" }

  private func shell(_ arguments: [String], environment: [String: String] = [:]) throws -> (
    status: Int32, text: String
  ) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["PROGRAM": program, "PREFIX": "/opt/tools", "DESTDIR": root, "XDG_DATA_HOME": folder.path + "/data"]
    ) { $1 }.merging(environment) { $1 }
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  private func installing(_ command: String, _ environment: [String: String] = [:]) throws -> (
    status: Int32, text: String
  ) {
    try shell(["sh", sourceRoot + "/packaging/install.sh", command], environment: environment)
  }

  /// Everything below the folder but folders.
  private func files(_ folder: String) -> [String] {
    let manager = FileManager.default
    return (manager.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter {
      var isFolder: ObjCBool = false
      return manager.fileExists(atPath: "\(folder)/\($0)", isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }

  @Test func whatIsInstalledWorksAndGoes() throws {
    try FileManager.default.createDirectory(atPath: prefix + "/bin", withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: prefix + "/bin/other"))
    let made = try installing("install")
    #expect(made.status == 0, "\(made.text)")
    let there = files(prefix)
    for file in [
      "bin/compress", "libexec/compress/compress-hdf5", "share/man/man1/compress.1", "share/compress/meta/compress.lua",
      "share/bash-completion/completions/compress", "share/zsh/site-functions/_compress",
      "share/fish/vendor_completions.d/compress.fish", "share/doc/compress/LICENSE", "share/doc/compress/README.md",
      "share/doc/compress/pipelines/quickstart.lua", "share/doc/compress/docs/scripts.md",
    ] {
      #expect(there.contains(file), "\(file)")
    }
    // The program finds the one that reads HDF5 files, and the editor's stubs.
    let installed = prefix + "/bin/compress"
    let keras = try Running(
      ["inspect", sourceRoot + "/Tests/Fixtures/sequential.keras"], cache: folder, program: installed
    ).wait()
    #expect(keras.status == 0 && keras.output.contains("scores"), "\(keras.errors)")
    let new = try Running(
      ["new", "pipeline", "mine"], cache: folder, workingIn: folder.path, program: installed
    ).wait()
    #expect(new.status == 0, "\(new.errors)")
    let settings = try String(contentsOfFile: folder.path + "/.luarc.json", encoding: .utf8)
    #expect(settings.contains("/opt/tools/share/compress/meta\""), "\(settings)")
    #expect(
      try String(contentsOfFile: prefix + "/share/compress/meta/compress.lua", encoding: .utf8).hasPrefix("---@meta"))
    // Functions that what the program writes for zsh does not have stand before the line that begins.
    let zsh = try String(contentsOfFile: prefix + "/share/zsh/site-functions/_compress", encoding: .utf8)
    #expect(zsh.components(separatedBy: "\n__compress_complete() {").count == 3 && zsh.hasPrefix("#compdef compress"))
    #expect(zsh.hasSuffix("    compdef _compress compress\nfi\n"))

    #expect(try installing("install").status == 0)
    #expect(files(prefix) == there)
    #expect(try installing("uninstall").status == 0)
    #expect(files(root) == ["opt/tools/bin/other"])
  }

  @Test func whatIsMissingIsSaid() throws {
    let without = try installing("install", ["PROGRAM": folder.path + "/compress"])
    #expect(without.status == 1 && without.text.contains("make build"), "\(without.text)")
    let relative = try installing("install", ["PREFIX": "usr"])
    #expect(relative.status == 1 && relative.text.contains("PREFIX is \"usr\""), "\(relative.text)")
    #expect(files(root).isEmpty)
  }

  /// readline splits words at colons and equals signs; what bash is told to offer fits what it splits.
  @Test func bashCompletes() throws {
    try FileManager.default.createDirectory(atPath: prefix, withIntermediateDirectories: true)
    let made = try installing("install")
    #expect(made.status == 0, "\(made.text)")
    try FileManager.default.createDirectory(atPath: folder.path + "/models/more", withIntermediateDirectories: true)
    for file in ["models/a.onnx", "p.lua", "$(touch hacked).onnx"] {
      let text = "local p = params { sparsity = { 0.5, min = 0 }, how = { 'one', choices = { 'one', 'two' } } }"
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(file)"))
    }
    let script = """
      cd "$1"; . "$2"; PATH=$3:$PATH
      ask() {
        COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
        local text=${1//:/ : }
        read -ra COMP_WORDS <<<"${text//=/ = }"
        [[ $1 != *" " ]] || COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        local part=${COMP_WORDS[COMP_CWORD]}
        [[ $part != [:=] ]] || part=
        _compress_whole_words compress "$part" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "$1> ${COMPREPLY[*]}"
      }
      ask 'compress plug'
      ask 'compress bench zoo:resnet1'
      ask 'compress bench zoo:'
      ask 'compress bench m'
      ask 'compress bench '
      ask 'compress bench zoo:lab_cnn --prec'
      ask 'compress run p.lua --set s'
      ask 'compress run p.lua --set how='
      ask 'compress run p.lua --set sparsity=0.5 --set how=t'
      ask 'compress plugins int'
      ask 'compress evaluate models/a.onnx --on fa'
      ask 'compress evaluate models/a.onnx --on mo'
      ask 'compress evaluate models/a.onnx --on=fa'
      ask 'compress evaluate models/a.onnx --on='
      ask 'compress evaluate --on=mnist m'
      HOME=$1
      ask 'compress evaluate models/a.onnx --on ~/mo'
      ask 'compress evaluate ~/mo'
      ask 'compress bench ~/models/a'
      """
    let completions = prefix + "/share/bash-completion/completions/compress"
    let answer = try shell(["bash", "-c", script, "bash", folder.path, completions, prefix + "/bin"])
    let lines = answer.text.split(separator: "\n").map { $0.components(separatedBy: "> ") }
    let offered = Dictionary(lines.map { ($0[0], $0.dropFirst().joined()) }) { first, _ in first }
    #expect(offered["compress plug"] == "plugins", "\(answer.text)")
    #expect(offered["compress bench zoo:resnet1"] == "resnet18 resnet18_cifar", "\(answer.text)")
    #expect(offered["compress bench zoo:"]?.contains("mobilenet_v2") == true)
    #expect(offered["compress bench m"] == "models/a.onnx models/more")
    #expect(offered["compress bench "]?.contains("zoo:unet") == true)
    #expect(offered["compress bench zoo:lab_cnn --prec"] == "--precision")
    #expect(offered["compress run p.lua --set s"] == "sparsity=", "\(answer.text)")
    #expect(offered["compress run p.lua --set how="] == "one two", "\(answer.text)")
    #expect(offered["compress run p.lua --set sparsity=0.5 --set how=t"] == "two", "\(answer.text)")
    #expect(offered["compress plugins int"] == "int4 int8")
    let evaluate = "compress evaluate models/a.onnx --on"
    for line in [evaluate + " fa", evaluate + "=fa"] {
      #expect(offered[line] == "fashion_mnist", "\(line): \(answer.text)")
    }
    #expect(offered[evaluate + " mo"] == "models/a.onnx models/more", "\(answer.text)")
    #expect(offered[evaluate + "="]?.hasPrefix("cifar10 cifar100 digits ") == true, "\(answer.text)")
    #expect(offered["compress evaluate --on=mnist m"] == "models", "\(answer.text)")
    // From home on.
    #expect(offered[evaluate + " ~/mo"] == "~/models/a.onnx ~/models/more", "\(answer.text)")
    #expect(offered["compress evaluate ~/mo"] == "~/models", "\(answer.text)")
    #expect(offered["compress bench ~/models/a"] == "~/models/a.onnx", "\(answer.text)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/hacked"))
  }
}
