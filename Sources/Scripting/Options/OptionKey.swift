import LuaHost

/// An option of the vocabulary: its declaration, and the key that its checked value is read by. A misspelt key does not
/// compile, and the value has the option's type: optional only where a script may leave it out and nothing stands in.
///
///     enum RecalibrateKeys {
///       static var data: OptionKey<DataObject> { .required("data", .data, help: "samples to measure on") }
///       static var batch: OptionKey<Int> { .init("batch", .integer, standard: 32, minimum: 1) }
///       static var schema: OptionSchema { OptionSchema("RecalibrateOptions", [data, batch]) }
///     }
///     let given = try RecalibrateKeys.schema.read(table)
///     given[RecalibrateKeys.batch]
struct OptionKey<Value>: DeclaredOption {
  let option: OptionSchema.Option
  fileprivate let value: (OptionValue?) -> Value?

  var name: String { option.name }

  private init(_ option: OptionSchema.Option, value: @escaping (OptionValue?) -> Value?) {
    self.option = option
    self.value = value
  }

  /// One that has a value when the script gives none.
  init(
    _ name: String, _ kind: OptionKind<Value>, help: String = "", standard: Value, minimum: Double = -.infinity,
    maximum: Double = .infinity
  ) {
    self.init(
      OptionSchema.Option(
        name: name, type: kind.type, help: help, standard: kind.write(standard), minimum: minimum, maximum: maximum)
    ) { $0.flatMap(kind.read) }
  }

  /// One that a script has to give.
  static func required(
    _ name: String, _ kind: OptionKind<Value>, help: String = "", minimum: Double = -.infinity,
    maximum: Double = .infinity
  ) -> OptionKey {
    OptionKey(
      OptionSchema.Option(
        name: name, type: kind.type, help: help, isRequired: true, minimum: minimum, maximum: maximum)
    ) { $0.flatMap(kind.read) }
  }

  /// One that a script may leave out; its value is then nil.
  static func optional<Given>(
    _ name: String, _ kind: OptionKind<Given>, help: String = "", minimum: Double = -.infinity,
    maximum: Double = .infinity
  ) -> OptionKey where Value == Given? {
    OptionKey(
      OptionSchema.Option(name: name, type: kind.type, help: help, minimum: minimum, maximum: maximum)
    ) { .some($0.flatMap(kind.read)) }
  }
}

/// What a schema lists.
protocol DeclaredOption {
  var option: OptionSchema.Option { get }
}

extension OptionSchema.Option: DeclaredOption {
  var option: OptionSchema.Option { self }
}

extension OptionValues {
  /// The value of an option of the schema that these were read by.
  ///
  /// - Precondition: the key is one of that schema's.
  subscript<Value>(key: OptionKey<Value>) -> Value {
    // A schema sees to it that what is required is there, and of the option's type.
    guard isKnown(key.name), let value = key.value(self[key.name]) else {
      preconditionFailure("option \"\(key.name)\" is not of the schema that was read")
    }
    return value
  }
}

/// The type of an option, and of its value in Swift.
struct OptionKind<Value> {
  let type: OptionType
  fileprivate let read: (OptionValue) -> Value?
  fileprivate let write: (Value) -> OptionValue
}

extension OptionKind<Bool> {
  static var boolean: OptionKind {
    OptionKind(type: .boolean, read: { if case .bool(let value) = $0 { value } else { nil } }, write: { .bool($0) })
  }
}

extension OptionKind<Int> {
  static var integer: OptionKind {
    OptionKind(
      type: .integer, read: { if case .integer(let value) = $0 { value } else { nil } }, write: { .integer($0) })
  }
}

extension OptionKind<Double> {
  static var number: OptionKind { OptionKind(type: .number, read: \.number, write: { .number($0) }) }
  static var ratio: OptionKind { OptionKind(type: .ratio, read: \.number, write: { .number($0) }) }
}

extension OptionKind<String> {
  static var string: OptionKind { OptionKind(type: .string, read: \.string, write: { .string($0) }) }
  static func choice(_ names: [String]) -> OptionKind {
    OptionKind(type: .choice(names), read: \.string, write: { .string($0) })
  }
}

extension OptionKind where Value: RawRepresentable, Value.RawValue == String {
  /// Some of the cases of a type, by their raw values; all of them unless told otherwise.
  static func choice(of cases: [Value]) -> OptionKind {
    OptionKind(
      type: .choice(cases.map(\.rawValue)), read: { $0.string.flatMap(Value.init) }, write: { .string($0.rawValue) })
  }

  static func choice(of type: Value.Type) -> OptionKind where Value: CaseIterable { choice(of: Array(Value.allCases)) }
}

extension OptionKind<[String]> {
  static var patterns: OptionKind { OptionKind(type: .patterns, read: \.strings, write: { .strings($0) }) }
  static var strings: OptionKind { OptionKind(type: .strings, read: \.strings, write: { .strings($0) }) }
}

extension OptionKind<[String: String]> {
  static var renames: OptionKind {
    OptionKind(
      type: .renames, read: { if case .renames(let names) = $0 { names } else { nil } }, write: { .renames($0) })
  }
}

extension OptionKind<[String: [Int]]> {
  static var shapes: OptionKind {
    OptionKind(
      type: .shapes, read: { if case .shapes(let shapes) = $0 { shapes } else { nil } }, write: { .shapes($0) })
  }
}

extension OptionKind<[Double]> {
  static var numbers: OptionKind { OptionKind(type: .numbers, read: \.numbers, write: { .numbers($0) }) }
}

extension OptionKind<DataObject> {
  static var data: OptionKind {
    OptionKind(type: .data, read: { if case .data(let data) = $0 { data } else { nil } }, write: { .data($0) })
  }
}

extension OptionKind<ModelObject> {
  static var model: OptionKind {
    OptionKind(type: .model, read: { if case .model(let model) = $0 { model } else { nil } }, write: { .model($0) })
  }
}

extension OptionKind<[NetworkValue]> {
  static var values: OptionKind {
    OptionKind(
      type: .values, read: { if case .values(let values) = $0 { values } else { nil } }, write: { .values($0) })
  }
}

extension OptionKind<BlockObject?> {
  /// `false` stands for none.
  static var block: OptionKind {
    OptionKind(type: .block, read: { if case .block(let block) = $0 { block } else { nil } }, write: { .block($0) })
  }
}

extension OptionKind<BoundPlugin> {
  static func plugin(_ kind: Plugin.Kind) -> OptionKind {
    OptionKind(
      type: .plugin(kind), read: { if case .plugin(let plugin) = $0 { plugin } else { nil } }, write: { .plugin($0) })
  }
}

extension OptionKind<LuaFunction> {
  static func function(_ type: String) -> OptionKind {
    OptionKind(
      type: .function(type), read: { if case .function(let function) = $0 { function } else { nil } },
      write: { .function($0) })
  }
}

extension OptionKind<OptionValues> {
  static func table(_ schema: OptionSchema) -> OptionKind {
    OptionKind(
      type: .table(schema), read: { if case .options(let options) = $0 { options } else { nil } },
      write: { .options($0) })
  }
}

extension OptionKind<OptionValue> {
  /// Of a type with values of several kinds.
  static func any(_ type: OptionType) -> OptionKind { OptionKind(type: type, read: { $0 }, write: { $0 }) }
}

/// A target: a number that all rounds of a pruning together come to, or what each of them does.
enum PerRound<Element: Equatable>: Equatable {
  case together(Element)
  case each([Element])
}

extension OptionKind<PerRound<Double>> {
  /// A number, or a list of them, one for each round.
  static func perRound(_ type: OptionType) -> OptionKind {
    OptionKind(
      type: .either(type, .numbers), read: { $0.number.map { .together($0) } ?? $0.numbers.map { .each($0) } },
      write: { target in
        switch target {
        case .together(let number): .number(number)
        case .each(let numbers): .numbers(numbers)
        }
      })
  }
}

extension OptionKind<PerRound<[Double]>> {
  /// A list of numbers, or a list of such lists, one for each round.
  static var listPerRound: OptionKind {
    OptionKind(
      type: .either(.numbers, .numberLists),
      read: {
        switch $0 {
        case .numbers(let numbers): .together(numbers)
        case .numberLists(let lists): .each(lists)
        default: nil
        }
      },
      write: { target in
        switch target {
        case .together(let numbers): .numbers(numbers)
        case .each(let lists): .numberLists(lists)
        }
      })
  }
}
