import Runs

/// A run with its number, for other programs: what `compress runs show --json` writes.
public struct RunDetails: Encodable {
  private let stored: StoredRun

  public init(_ stored: StoredRun) { self.stored = stored }

  private enum CodingKeys: String, CodingKey { case id, sweep, point, started }

  public func encode(to encoder: any Encoder) throws {
    try stored.record.withoutSecrets.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(stored.id, forKey: .id)
    try container.encodeIfPresent(stored.sweep, forKey: .sweep)
    try container.encodeIfPresent(stored.point, forKey: .point)
    // As in exports; the record counts from another day.
    try container.encode(RunText.time(stored.record.started), forKey: .started)
  }
}
