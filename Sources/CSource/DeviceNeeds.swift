import Network

/// What a network takes on a device as C source, known without any being written.
public struct DeviceNeeds {
  /// Bytes of its arena, inputs and outputs included.
  public let arenaBytes: Int
  /// Bytes of weights and tables.
  public let constantBytes: Int

  /// - Throws: `CompressError` naming the layer there is no C for.
  public init(_ model: Model) throws {
    let network = try CNetwork(model), layout = try Layout(network)
    arenaBytes = layout.plan.byteCount
    constantBytes = SourceWriter(network, layout, prefix: "net").constantBytes
  }
}
