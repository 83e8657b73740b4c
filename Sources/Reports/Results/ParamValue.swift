import Diagnostics

/// A parameter's value as it stood in the run.
public enum ParamValue: Codable, Sendable, Hashable {
  case bool(Bool)
  case number(Double)
  case string(String)

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .string(try container.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .bool(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    }
  }
}

extension ParamValue {
  /// As `--set` takes it: `0.8`, `true`, `adam`.
  public var text: String {
    switch self {
    case .bool(let value): String(value)
    case .number(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int(saturating: value)) : String(value)
    case .string(let value): value
    }
  }

  /// Without the credentials of addresses in a text.
  public var withoutSecrets: ParamValue {
    if case .string(let text) = self { .string(Secrets.removed(from: text)) } else { self }
  }
}
