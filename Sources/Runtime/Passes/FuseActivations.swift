extension Program {
  /// Makes an activation that only clamps part of the convolution, dense layer or sum before it, where
  /// nothing else reads what lies between.
  ///
  /// The value between is then never formed and its quantization means nothing, unless the
  /// activation's output has none: then it takes that.
  mutating func fuseActivations() {
    let readers = readers
    var producers: [Int: Int] = [:]  // value: index among `fused`
    var fused: [Operation] = []
    for operation in operations {
      if case .node(let op, _) = operation.kind, op.clampRange != nil,
        let index = producers[operation.inputs[0]], readers[operation.inputs[0]] == 1,
        fused[index].kind.spec?.fusesClamp == true, fused[index].clamp == nil
      {
        let between = fused[index].output
        fused[index].clamp = op
        fused[index].output = operation.output
        if values[operation.output].encoding == nil {
          values[operation.output].encoding = values[between].encoding
        }
        producers[operation.output] = index
      } else {
        for output in operation.outputs { producers[output] = fused.count }
        fused.append(operation)
      }
    }
    operations = fused
  }
}
