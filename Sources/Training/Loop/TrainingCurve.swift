/// How training went, epoch by epoch.
public struct TrainingCurve: Sendable, Codable {
  /// What the same script, data and seed reproduce to the bit.
  public struct Epoch: Sendable, Hashable, Codable {
    /// Mean cross-entropy over the epoch's samples, each measured before the step it took part in.
    public let loss: Double
    /// 0…1, measured likewise.
    public let accuracy: Double
    /// Of the epoch's last step.
    public let learningRate: Double
    /// Samples seen.
    public let images: Int
  }

  public internal(set) var epochs: [Epoch] = []
  /// Wall-clock seconds of each epoch: kept apart, since they differ from run to run.
  public internal(set) var seconds: [Double] = []
}
