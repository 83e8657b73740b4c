extension Graph {
  /// The outputs, those of a softmax or a sigmoid before it: behind it most values are next to 0 or 1, where errors do
  /// not show.
  public var unsquashedOutputs: [String] {
    outputs.map { output in
      let node = producer(of: output)!
      return switch node.op {
      case .activation(.softmax), .activation(.sigmoid): node.inputs[0]
      default: output
      }
    }
  }
}
