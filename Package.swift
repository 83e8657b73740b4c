// swift-tools-version: 6.1
import PackageDescription

// The rooms of the house, ground floor first: a target may import only those above it in this file.
// docs/architecture.md says what lives in each.

let package = Package(
  name: "compress",
  products: [.executable(name: "compress", targets: ["compress"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.0.0"),
  ],
  targets: [
    // C: the doors to Lua, zlib and the image formats, and the leaf kernels.
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(name: "CImages", dependencies: ["CJPEG", "CPNG"]),
    .target(name: "CLuaBridge", dependencies: ["CLua"]),
    .target(name: "CConfinement"),
    .target(
      name: "CKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),

    // The engine.
    .target(name: "Diagnostics"),
    .target(name: "Files", dependencies: ["CZlib", "Diagnostics"]),
    .target(name: "Confinement", dependencies: ["CConfinement", "Files", "Diagnostics"]),
    .target(name: "Tensors", dependencies: ["CKernels", "Diagnostics"]),
    .target(name: "Kernels", dependencies: ["CKernels", "Tensors", "Diagnostics"]),
    .target(name: "Network", dependencies: ["Tensors"]),
    .target(name: "Descriptors", dependencies: ["Network", "Kernels"]),
    .target(name: "Formats", dependencies: ["Network", "Files"]),
    .target(name: "Datasets", dependencies: ["Network", "Tensors", "Files", "CImages"]),
    .target(
      name: "Downloads", dependencies: ["Files", "Diagnostics", .product(name: "Crypto", package: "swift-crypto")]),
    .target(name: "Training", dependencies: ["Network", "Descriptors", "Kernels", "Datasets", "Diagnostics"]),
    .target(name: "Compression", dependencies: ["Network", "Kernels"]),
    .target(name: "Runtime", dependencies: ["Network", "Descriptors", "Kernels", "CKernels"]),
    .target(
      name: "Pipeline",
      dependencies: [
        "Formats", "Datasets", "Training", "Compression", "Runtime", "Confinement",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(name: "Reports", dependencies: ["Pipeline", .product(name: "Mustache", package: "swift-mustache")]),

    // The scripts, and the command line.
    .target(
      name: "ShippedPlugins", path: "plugins", exclude: ["meta"], sources: ["ShippedPlugins.swift"],
      resources: [.embedInCode("pruning"), .embedInCode("quantization"), .embedInCode("schedules")]),
    .target(name: "LuaHost", dependencies: ["CLuaBridge", "Diagnostics"]),
    .target(name: "Scripting", dependencies: ["LuaHost", "Pipeline", "Reports", "Confinement", "ShippedPlugins"]),
    .target(
      name: "Experiments",
      dependencies: [
        "Scripting", "LuaHost", "Reports", "Pipeline", "Tensors", "Confinement",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .executableTarget(
      name: "compress",
      dependencies: [
        "Scripting", "Experiments", "Downloads", "Confinement",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests mirror the targets; what several of them draw from is in TestSupport.
    .target(name: "TestSupport", dependencies: ["Network"], path: "Tests/TestSupport"),
    // A program with a hole on purpose, for the wall to be tried on.
    .target(name: "HoleAttacks", dependencies: ["CConfinement"], path: "Tests/HoleAttacks"),
    .executableTarget(
      name: "hole", dependencies: ["Confinement", "CConfinement", "LuaHost", "HoleAttacks"], path: "Tests/Hole"),
    .testTarget(name: "ConfinementTests", dependencies: ["Confinement", "hole"]),
    // Every row of the kernel table against the scalar reference; a program as well, for other CPUs (neon.sh).
    .target(
      name: "KernelChecks", dependencies: ["CKernels"], path: "Tests/KernelChecks", exclude: ["main.c", "neon.sh"]),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels", "CKernels", "KernelChecks", "Tensors", "Diagnostics"]),
    .testTarget(name: "CompressionTests", dependencies: ["Compression", "Formats", "Runtime", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "TestSupport"], exclude: ["pytorch_step.py"]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "Tensors"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Files"]),
    .testTarget(name: "DownloadsTests", dependencies: ["Downloads", "Tensors"]),
    .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "NetworkTests", dependencies: ["Network", "TestSupport"]),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "TestSupport"]),
    .testTarget(name: "LuaHostTests", dependencies: ["LuaHost"]),
    .testTarget(name: "RuntimeTests", dependencies: ["Runtime", "TestSupport"]),
    .testTarget(
      name: "PipelineTests", dependencies: ["Pipeline", "TestSupport"], exclude: ["pytorch_network.py"]),
    .testTarget(name: "ScriptingTests", dependencies: ["Scripting", "ShippedPlugins", "TestSupport"], exclude: ["walk.lua"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: ["Experiments", "LuaHost", "Scripting", "Reports", .product(name: "GRDB", package: "GRDB.swift")]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "compress", "Confinement", "Files", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["hostile-lines.tsv"]),
    .testTarget(name: "ReportsTests", dependencies: ["Reports"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
