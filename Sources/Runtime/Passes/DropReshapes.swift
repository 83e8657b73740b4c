extension Program {
  /// Removes what changes a shape only: the bytes stay where they are. A reshape between two different
  /// quantizations remains, as a conversion.
  mutating func dropReshapes() {
    var stands: [Int: Int] = [:]  // a value: the one that stands for it
    operations = operations.compactMap { operation in
      var operation = operation
      operation.inputs = operation.inputs.map { stands[$0] ?? $0 }
      guard case .reshape = operation.kind else { return operation }
      let source = operation.inputs[0]
      guard values[source].encoding == values[operation.output].encoding else {
        operation.kind = .convert
        return operation
      }
      stands[operation.output] = source
      return nil
    }
    outputs = outputs.map { stands[$0] ?? $0 }
  }
}
