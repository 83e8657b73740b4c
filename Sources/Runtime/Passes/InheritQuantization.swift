extension Program {
  /// Gives the outputs of operations that only select among the values they are given (max pooling,
  /// reshaping, padding, clamping) the quantization of their input, where they have none of their own: what
  /// they select lies on its grid already.
  mutating func inheritQuantization() {
    for operation in operations where operation.kind.onlySelects {
      for output in operation.outputs where values[output].encoding == nil {
        values[output].encoding = values[operation.inputs[0]].encoding
      }
    }
  }
}

extension Program.Kind {
  fileprivate var onlySelects: Bool {
    if case .reshape = self { true } else { spec?.preserves.contains(.selection) ?? false }
  }
}
