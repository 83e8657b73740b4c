// swift-tools-version: 6.1
import PackageDescription

// Here the engine is the source tree that this example lies in; README.md says how a package of one's own has it.
let package = Package(
  name: "classify",
  dependencies: [.package(name: "compress", path: "../..")],
  targets: [
    .executableTarget(name: "classify", dependencies: [.product(name: "CompressEngine", package: "compress")])
  ]
)
