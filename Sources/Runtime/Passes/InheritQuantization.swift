extension Program {
  /// Gives the outputs of operations that only select among the values they are given (max pooling,
  /// reshaping, padding, clamping) the quantization of their input, where they have none of their own: what
  /// they select lies on its grid already.
  mutating func inheritQuantization() {
    for operation in operations where operation.kind.onlySelects && values[operation.output].encoding == nil {
      values[operation.output].encoding = values[operation.inputs[0]].encoding
    }
  }
}

extension Program.Kind {
  fileprivate var onlySelects: Bool {
    switch self {
    case .pool2d(let pool): pool.reduction == .max
    case .globalPool(let pool): pool.reduction == .max
    case .activation(let function): function.clamp != nil
    case .reshape, .pad: true
    default: false
    }
  }
}
