import Diagnostics

// {"op": "conv2d", …payload…}
extension Operator: Codable {
  private enum CodingKeys: String, CodingKey { case op }

  public init(from decoder: any Decoder) throws {
    let kind = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .op)
    switch kind {
    case Input.kind: self = .input(try Input(from: decoder))
    case Conv2D.kind: self = .conv2d(try Conv2D(from: decoder))
    case Dense.kind: self = .dense(try Dense(from: decoder))
    case BatchNorm.kind: self = .batchNorm(try BatchNorm(from: decoder))
    case Activation.kind: self = .activation(try Activation(from: decoder))
    case Pool2D.kind: self = .pool2d(try Pool2D(from: decoder))
    case GlobalPool.kind: self = .globalPool(try GlobalPool(from: decoder))
    case Add.kind: self = .add(try Add(from: decoder))
    case Concat.kind: self = .concat(try Concat(from: decoder))
    case Flatten.kind: self = .flatten(try Flatten(from: decoder))
    case Reshape.kind: self = .reshape(try Reshape(from: decoder))
    case Pad.kind: self = .pad(try Pad(from: decoder))
    case Dropout.kind: self = .dropout(try Dropout(from: decoder))
    default: throw CompressError("unknown operator \"\(kind.escapedForTerminal)\"", kind: .input)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(spec.kind, forKey: .op)
    try spec.encode(to: encoder)
  }
}
