/// What is removed as a whole.
public enum PruningUnit: String, Sendable, CaseIterable {
  /// Single weights: they become zeros under a mask.
  case weight
  /// Filters, and every channel that hangs together with them: the network becomes smaller.
  case filter
}
