// swift-tools-version: 6.1
import PackageDescription

// The rooms of the house, ground floor first: a target may import only those above it in this file.
// docs/architecture.md says what lives in each.

let package = Package(
  name: "compress",
  products: [
    .executable(name: "compress", targets: ["compress"]),
    // The engine for Swift packages of one's own: examples/swift_package.
    .library(name: "CompressEngine", targets: ["CompressEngine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
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
    .systemLibrary(name: "CEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .target(name: "CImages", dependencies: ["CJPEG", "CPNG"]),
    .target(name: "CLuaBridge", dependencies: ["CLua"]),
    .target(name: "CConfinement"),
    .target(name: "CPacked"),
    .target(
      name: "CKernels", linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),
    // libcompress, which `make lib` builds without Swift.
    .target(name: "CCompress", dependencies: ["CKernels"]),
    // Copied to other machines, to measure there; `make lib` links it statically.
    .executableTarget(name: "compress-runner", dependencies: ["CCompress"]),

    // The only program that libhdf5 is in; `compress` starts it with no rights to read HDF5 files.
    .executableTarget(name: "compress-hdf5", dependencies: ["CHDF5", "CConfinement"]),

    // The engine.
    .target(name: "Diagnostics"),
    .target(name: "Files", dependencies: ["CZlib", "Diagnostics"]),
    .target(name: "Confinement", dependencies: ["CConfinement", "Diagnostics", "Files"]),
    .target(name: "Tensors", dependencies: ["CKernels", "Diagnostics"]),
    .target(name: "Kernels", dependencies: ["CKernels", "Diagnostics", "Tensors"]),
    .target(name: "Network", dependencies: ["Diagnostics", "Tensors"]),
    .target(name: "Descriptors", dependencies: ["Diagnostics", "Tensors", "Kernels", "Network"]),
    .target(
      name: "Formats",
      dependencies: ["CPacked", "Diagnostics", "Files", "Confinement", "Tensors", "Kernels", "Network"]),
    .target(name: "Datasets", dependencies: ["CImages", "Diagnostics", "Files", "Tensors", "Network"]),
    .target(
      name: "Downloads",
      dependencies: ["Diagnostics", "Files", .product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "Training",
      dependencies: ["Diagnostics", "Tensors", "Kernels", "Network", "Descriptors", "Datasets"]),
    .target(name: "Compression", dependencies: ["Diagnostics", "Tensors", "Kernels", "Network"]),
    .target(
      name: "Runtime", dependencies: ["CKernels", "Diagnostics", "Tensors", "Kernels", "Network", "Descriptors"]),
    .target(
      name: "CSource", dependencies: ["Diagnostics", "Files", "Tensors", "Kernels", "Network", "Runtime"]),
    .target(
      name: "CompiledPlans",
      dependencies: ["CKernels", "CCompress", "Diagnostics", "Files", "Tensors", "Kernels", "Network", "Runtime"]),
    .target(
      name: "Exports", dependencies: ["Diagnostics", "Kernels", "Network", "Formats", "CSource", "CompiledPlans"]),
    .target(name: "Devices", dependencies: ["Diagnostics", "Files", "Confinement"]),
    .target(
      name: "Analysis",
      dependencies: ["Diagnostics", "Tensors", "Kernels", "Network", "Datasets", "Compression", "Runtime"]),
    .target(
      name: "Pipeline",
      dependencies: [
        "Diagnostics", "Files", "Confinement", "Tensors", "Kernels", "Network", "Formats", "Datasets", "Training",
        "Compression", "Runtime", "CSource", "CompiledPlans", "Devices", "Analysis",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "Reports",
      dependencies: [
        "Diagnostics", "Files", "Kernels", "Network", "Formats", "Training", "Runtime", "Analysis", "Pipeline",
        .product(name: "Mustache", package: "swift-mustache"),
      ]),

    // The scripts, and the command line.
    .target(
      name: "ShippedPlugins", path: "plugins", exclude: ["meta"], sources: ["ShippedPlugins.swift"],
      resources: [
        .embedInCode("device"), .embedInCode("pruning"), .embedInCode("quantization"), .embedInCode("schedules"),
      ]),
    .target(name: "LuaHost", dependencies: ["CLuaBridge", "Diagnostics"]),
    .target(
      name: "Scripting",
      dependencies: [
        "Diagnostics", "Files", "Confinement", "Tensors", "Kernels", "Network", "Formats", "Datasets", "Training",
        "Compression", "Runtime", "Exports", "Devices", "Analysis", "Pipeline", "Reports", "ShippedPlugins", "LuaHost",
      ]),
    // What other packages see of all this.
    .target(
      name: "CompressEngine",
      dependencies: ["Diagnostics", "Kernels", "Network", "Formats", "Runtime", "Exports", "Pipeline", "Scripting"]),
    .target(
      name: "Runs",
      dependencies: ["Diagnostics", "Files", "Confinement", "Pipeline", "Reports", "LuaHost", "Scripting"]),
    .target(
      name: "Experiments",
      dependencies: [
        "Diagnostics", "Files", "Confinement", "Tensors", "Kernels", "Pipeline", "Reports", "LuaHost", "Scripting",
        "Runs", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .executableTarget(
      name: "compress",
      dependencies: [
        "CEdit", "Diagnostics", "Files", "Confinement", "Tensors", "Kernels", "Network", "Formats", "Datasets",
        "Downloads",
        "Runtime", "Exports", "Devices",
        "Analysis", "Pipeline", "Reports", "LuaHost", "Scripting", "Runs", "Experiments",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests mirror the targets; what several of them draw from is in TestSupport.
    .target(name: "TestSupport", dependencies: ["Tensors", "Network", "Runtime"], path: "Tests/TestSupport"),
    // A program with a hole on purpose, for the wall to be tried on.
    .target(name: "HoleAttacks", dependencies: ["CConfinement"], path: "Tests/HoleAttacks"),
    .executableTarget(
      name: "hole",
      dependencies: ["CConfinement", "Diagnostics", "Confinement", "LuaHost", "HoleAttacks"],
      path: "Tests/Hole"),
    .testTarget(name: "ConfinementTests", dependencies: ["Confinement", "hole"]),
    // Every row of the kernel table against the scalar reference; a program as well, for other CPUs (neon.sh).
    .target(
      name: "KernelChecks",
      dependencies: ["CKernels"],
      path: "Tests/KernelChecks",
      exclude: ["main.c", "neon.sh"]),
    .testTarget(name: "KernelsTests", dependencies: ["CKernels", "Diagnostics", "Tensors", "Kernels", "KernelChecks"]),
    .testTarget(
      name: "CompressionTests",
      dependencies: [
        "Diagnostics", "Tensors", "Kernels", "Network", "Formats", "Compression", "Runtime", "TestSupport",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Diagnostics", "Tensors", "Kernels", "Network", "Datasets", "Training", "TestSupport"],
      exclude: ["pytorch_blocks.py", "pytorch_step.py"]),
    .testTarget(name: "FilesTests", dependencies: ["Diagnostics", "Files", "Tensors"]),
    .testTarget(name: "DevicesTests", dependencies: ["Diagnostics", "Devices"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Diagnostics", "Files", "Tensors", "Network", "Datasets"]),
    .testTarget(
      name: "DownloadsTests",
      dependencies: ["Diagnostics", "Files", "Tensors", "Downloads", .product(name: "Crypto", package: "swift-crypto")]),
    .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"]),
    .testTarget(name: "TensorsTests", dependencies: ["Diagnostics", "Tensors"]),
    .testTarget(name: "NetworkTests", dependencies: ["Diagnostics", "Tensors", "Network", "TestSupport"]),
    .testTarget(
      name: "FormatsTests",
      dependencies: ["CPacked", "Diagnostics", "Files", "Tensors", "Network", "Formats", "TestSupport"]),
    .testTarget(name: "LuaHostTests", dependencies: ["CLuaBridge", "Diagnostics", "LuaHost"]),
    .testTarget(
      name: "RuntimeTests",
      dependencies: ["Diagnostics", "Tensors", "Kernels", "Network", "Runtime", "TestSupport"]),
    .testTarget(
      name: "CompiledPlansTests",
      dependencies: [
        "CKernels", "CCompress", "Diagnostics", "Tensors", "Kernels", "Network", "Runtime", "CompiledPlans",
        "TestSupport",
      ]),
    .testTarget(
      name: "CSourceTests",
      dependencies: ["Diagnostics", "Tensors", "Kernels", "Network", "Runtime", "CSource", "TestSupport"]),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Diagnostics", "Files", "Tensors", "Kernels", "Network", "Formats", "Datasets", "Training", "Compression",
        "Runtime", "Analysis", "Pipeline", "TestSupport",
      ],
      exclude: ["pytorch_network.py"]),
    .testTarget(
      name: "ScriptingTests",
      dependencies: [
        "CLuaBridge", "Diagnostics", "Tensors", "Kernels", "Network", "Formats", "Datasets", "Devices", "Compression",
        "Runtime", "Analysis", "Pipeline", "ShippedPlugins", "LuaHost", "Scripting", "TestSupport",
      ],
      exclude: ["walk.lua"]),
    .testTarget(name: "CompressEngineTests", dependencies: ["CompressEngine"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Diagnostics", "Pipeline", "Reports", "LuaHost", "Scripting", "Runs", "Experiments",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Files", "Confinement", "compress", "compress-runner",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["hostile-lines.tsv"]),
    .testTarget(
      name: "ReportsTests",
      dependencies: ["Diagnostics", "Tensors", "Runtime", "Analysis", "Pipeline", "Reports"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
