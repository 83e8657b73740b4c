import Diagnostics
import Formats
import Network

/// A network with weights from a file that holds nothing else; the file's content decides the key, not its path.
public struct LoadWeightsStage: StageWork {
  public let path: String
  public let network: Graph
  private let file: SafeTensorsFile
  private let digest: String

  /// - Throws: `CompressError` naming the file when it cannot be read, is broken, or its tensors are not the network's.
  public init(path: String, network: Graph) throws {
    self.path = path
    self.network = network
    file = try SafeTensorsFile(path)
    digest = try Digest.of(file: path)
    try atFile(path) { try file.check(network) }
  }

  public var kind: String { "load weights" }
  public var label: String { path }

  public func recipe() throws -> Recipe {
    ["file": .string(digest), "graph": .string(Digest.of(try CanonicalJSON.encode(network)))]
  }

  public func graph(inputs: [Graph]) throws -> Graph { network }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    StageResult(try atFile(path) { try file.model(network) })
  }
}
