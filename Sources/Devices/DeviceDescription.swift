import Diagnostics

/// What a device can do, as a plugin describes it: nothing of it was found out here but what its table says.
public struct DeviceDescription: Sendable, Equatable {
  public let name: String
  /// Bits of weights that it runs: 32 and 16 are floats, less are integers.
  public var bits: [Int]
  /// Kinds of operators that it runs, as native files call them (`conv2d`); nil: all.
  public var operators: Set<String>?
  /// Bytes of memory and of flash for the network; nil: enough.
  public var ram: Int?
  public var flash: Int?
  /// In Hz.
  public var clock: Double?
  /// Where all this is from.
  public var sources: [String]
  /// How long layers take there; nil where nobody has measured.
  public var table: LatencyTable?

  public init(
    name: String, bits: [Int], operators: Set<String>? = nil, ram: Int? = nil, flash: Int? = nil, clock: Double? = nil,
    sources: [String] = [], table: LatencyTable? = nil
  ) {
    self.name = name
    self.bits = bits
    self.operators = operators
    self.ram = ram
    self.flash = flash
    self.clock = clock
    self.sources = sources
    self.table = table
  }

  /// - Parameters:
  ///   - layers: names, kinds of operators and bits of the weights, nil without one.
  ///   - what: what they are of, for errors.
  /// - Throws: `CompressError` naming the first layer that it does not run.
  public func check(_ layers: [(name: String, kind: String, bits: Int?)], of what: String) throws {
    for layer in layers {
      if let operators, !operators.contains(layer.kind) {
        throw CompressError(
          "\(what): \"\(name)\" does not run \(layer.kind); it runs \(operators.sorted().joined(separator: ", "))"
        ).at(layer: layer.name)
      }
      if let own = layer.bits, !bits.contains(own) {
        throw CompressError(
          "\(what): \"\(name)\" does not run weights of \(own) bits; it runs "
            + bits.map(String.init).joined(separator: ", ")
        ).at(layer: layer.name)
      }
    }
  }
}
