/// How training went, epoch by epoch.
public struct TrainingCurve: Sendable, Codable {
  /// What the same script, data and seed reproduce to the bit.
  public struct Epoch: Sendable, Hashable, Codable {
    /// Mean loss over the epoch's samples, each measured before the step it took part in.
    public let loss: Double
    /// 0…1, measured likewise.
    public let accuracy: Double
    /// Of the epoch's last step.
    public let learningRate: Double
    /// Samples seen.
    public let images: Int
    /// Mean cross-entropy and accuracy on the validation data after the epoch, if there is any.
    public var validationLoss: Double?
    public var validationAccuracy: Double?
  }

  public internal(set) var epochs: [Epoch] = []
  /// Wall-clock seconds of each epoch: kept apart, since they differ from run to run.
  public internal(set) var seconds: [Double] = []
  /// The epoch (from 0) whose weights were kept when training looked for the best.
  public internal(set) var bestEpoch: Int?
}
