import Diagnostics
import Formats
import Network

/// A network with weights from a file that holds nothing else; the file's content decides the key, not its path.
public struct LoadWeightsStage: StageWork {
  public let path: String
  public let network: Graph
  private let file: any WeightsFile
  private let digest: String
  private let rules: NameRules
  /// What was done with the file's names.
  private let notes: [String]

  /// - Throws: `CompressError` naming the file when it cannot be read, is broken, or its tensors are not the network's.
  public init(path: String, network: Graph, rules: NameRules = NameRules()) throws {
    self.path = path
    self.network = network
    self.rules = rules
    file = try ModelFile.weights(path)
    digest = try Digest.of(file: path)
    notes = try atFile(path) { [file] in try file.check(network, rules: rules) }
  }

  public var kind: String { "load weights" }
  public var label: String { path }

  public func recipe() throws -> Recipe {
    [
      "file": .string(digest), "graph": .string(Digest.of(try CanonicalJSON.encode(network))),
      "ignore": .list(rules.ignore.map { .string($0) }),
      "rename": .list(rules.rename.map { .list([.string($0.from), .string($0.to)]) }),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph { network }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    for note in notes { context.progress.note("\(path): \(note)") }
    var result = StageResult(try atFile(path) { try file.model(network, rules: rules) })
    result.record.notes = notes
    return result
  }
}
