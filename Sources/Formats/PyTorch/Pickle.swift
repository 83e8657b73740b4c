import Diagnostics
import Files

/// A value of a pickle. What holds others is an object of the pickle's, named by its number: however often a pickle
/// mentions one, it is there once, and objects may hold each other.
enum PickleValue {
  case none
  case truth(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  /// Bytes, and integers of more than 64 bits, little-endian.
  case bytes([UInt8])
  case object(Int)
}

/// Python's pickles of protocols 2 and up, as far as checkpoints need them (Lib/pickletools.py describes the opcodes).
///
/// A pickle is a program for a machine with a stack. Here nothing it asks for is ever called: what it would call stays
/// as the name and the arguments, and names that are not allowed are an error.
struct Pickle {
  struct Object {
    enum Kind: Equatable {
      case list, tuple
      /// Keys and values, one after the other.
      case dictionary
      /// The name of something in a Python module.
      case global(String)
      /// The function and a tuple of arguments.
      case call
      /// What the pickle leaves to its reader: how it is called.
      case persistent
    }

    var kind: Kind
    var items: [PickleValue] = []
  }

  private(set) var objects: [Object] = []
  private(set) var value = PickleValue.none

  /// A checkpoint has less than ten objects for each tensor.
  private static let mostObjects = 1 << 20
  /// Values that wait on the stack: tuples have few, lists and dictionaries are made of pieces of 1,000.
  private static let mostWaiting = 1 << 16
  private static let mostMemories = 1 << 21
  private static let longestText = 1 << 24
  private static let newestProtocol = 5

  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Reads one pickle and leaves the reader behind it.
  ///
  /// - Parameter allowed: throws for a name, `module.name`, that must not be asked for.
  /// - Throws: `CompressError` with the offset when the bytes are no pickle, or of kind `.limit` when it holds too
  ///   much.
  init(_ reader: inout ByteReader, allowed: (String) throws -> Void) throws {
    while true {
      let offset = reader.origin + reader.offset, code = try reader.u8()
      do {
        if code == UInt8(ascii: ".") { break }
        try execute(code, &reader, allowed)
      } catch let error as Misuse {
        throw CompressError("at byte \(offset): \(error.message)", kind: .input)
      }
    }
    guard case (let last?, true) = (stack.last, stack.count == 1 && marks.isEmpty) else {
      throw CompressError("ends with \(stack.count) values; a pickle is one", kind: .input)
    }
    value = last
    (stack, memo) = ([], [:])
  }

  private struct Misuse: Error {
    let message: String
    init(_ message: String) { self.message = message }
  }

  subscript(_ value: PickleValue) -> Object? {
    if case .object(let number) = value { objects[number] } else { nil }
  }

  // MARK: The stack

  private mutating func push(_ value: PickleValue) throws {
    guard stack.count < Self.mostWaiting else {
      throw CompressError("a pickle in which more than \(Self.mostWaiting) values wait", kind: .limit)
    }
    stack.append(value)
  }

  private mutating func pop() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0) else { throw Misuse("takes a value where there is none") }
    return stack.removeLast()
  }

  /// The values since the last mark.
  private mutating func popMarked() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw Misuse("takes values where none were begun") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func make(_ kind: Object.Kind, _ items: [PickleValue] = []) throws {
    guard objects.count < Self.mostObjects else {
      throw CompressError("a pickle of more than \(Self.mostObjects) objects", kind: .limit)
    }
    objects.append(Object(kind: kind, items: items))
    try push(.object(objects.count - 1))
  }

  private mutating func tuple(of count: Int) throws {
    var items: [PickleValue] = []
    for _ in 0..<count { items.append(try pop()) }
    try make(.tuple, items.reversed())
  }

  /// Adds to the object on top of the stack.
  private mutating func add(_ items: [PickleValue], to kind: Object.Kind) throws {
    guard stack.count > (marks.last ?? 0), case .object(let number)? = stack.last else {
      throw Misuse("adds to what holds nothing")
    }
    switch (kind, objects[number].kind) {
    case (_, .call): break  // What a function makes is not made here, and so nothing is added to it.
    case (.list, .list), (.dictionary, .dictionary): objects[number].items += items
    default: throw Misuse("adds to what is no \(kind)")
    }
  }

  private mutating func remember(at index: Int) throws {
    guard let last = stack.last else { throw Misuse("remembers a value where there is none") }
    memo[index] = last
    guard memo.count <= Self.mostMemories else {
      throw CompressError("a pickle that remembers more than \(Self.mostMemories) values", kind: .limit)
    }
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw Misuse("recalls value \(index), which it did not remember") }
    try push(value)
  }

  // MARK: Opcodes

  private mutating func execute(_ code: UInt8, _ reader: inout ByteReader, _ allowed: (String) throws -> Void) throws {
    switch code {
    case 0x80:
      let version = try reader.u8()
      guard version <= Self.newestProtocol else { throw Misuse("pickle protocol \(version); up to 5 are read") }
    case 0x95: _ = try reader.u64()  // The length of a frame, which says nothing more.
    case UInt8(ascii: "("):
      guard marks.count < Self.mostWaiting else {
        throw CompressError("a pickle that begins more than \(Self.mostWaiting) lists", kind: .limit)
      }
      marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popMarked()
    case UInt8(ascii: "2"):
      let top = try pop()
      try push(top)
      try push(top)
    case UInt8(ascii: "N"): try push(.none)
    case 0x88, 0x89: try push(.truth(code == 0x88))
    case UInt8(ascii: "K"): try push(.integer(Int(try reader.u8())))
    case UInt8(ascii: "M"): try push(.integer(Int(try reader.u16())))
    case UInt8(ascii: "J"): try push(.integer(Int(try reader.i32())))
    case 0x8A: try push(Self.integer(reader.slice(reader.u8())))
    case 0x8B: try push(Self.integer(reader.slice(reader.i32())))
    case UInt8(ascii: "G"): try push(.real(try reader.f64(.big)))
    case UInt8(ascii: "X"): try push(Self.text(&reader, reader.u32()))
    case 0x8C, UInt8(ascii: "U"): try push(Self.text(&reader, reader.u8()))
    case 0x8D: try push(Self.text(&reader, reader.u64()))
    case UInt8(ascii: "T"): try push(Self.text(&reader, reader.i32()))
    case UInt8(ascii: "C"): try push(.bytes(Array(reader.slice(reader.u8()))))
    case UInt8(ascii: "B"): try push(.bytes(Array(reader.slice(reader.u32()))))
    case 0x8E: try push(.bytes(Array(reader.slice(reader.u64()))))
    case UInt8(ascii: "]"), 0x8F: try make(.list)
    case UInt8(ascii: ")"): try make(.tuple)
    case UInt8(ascii: "}"): try make(.dictionary)
    case UInt8(ascii: "l"), 0x91: try make(.list, popMarked())
    case UInt8(ascii: "t"): try make(.tuple, popMarked())
    case 0x85, 0x86, 0x87: try tuple(of: Int(code) - 0x84)
    case UInt8(ascii: "d"): try make(.dictionary, pairs(popMarked()))
    case UInt8(ascii: "a"): try add([pop()], to: .list)
    case UInt8(ascii: "e"), 0x90: try add(popMarked(), to: .list)
    case UInt8(ascii: "s"):
      let value = try pop(), key = try pop()
      try add([key, value], to: .dictionary)
    case UInt8(ascii: "u"): try add(pairs(popMarked()), to: .dictionary)
    case UInt8(ascii: "c"):
      let module = try Self.line(&reader), name = try Self.line(&reader)
      try global(module, name, allowed)
    case 0x93:
      guard case (.text(let name), .text(let module)) = (try pop(), try pop()) else {
        throw Misuse("asks for something by what is no name")
      }
      try global(module, name, allowed)
    case UInt8(ascii: "R"), 0x81: try call()
    case UInt8(ascii: "b"):
      // The state of an object: attributes beside what it holds.
      _ = try pop()
      guard stack.count > (marks.last ?? 0) else { throw Misuse("gives a state to nothing") }
    case UInt8(ascii: "Q"): try make(.persistent, [pop()])
    case UInt8(ascii: "q"): try remember(at: Int(try reader.u8()))
    case UInt8(ascii: "r"): try remember(at: Int(try reader.u32()))
    case 0x94: try remember(at: memo.count)
    case UInt8(ascii: "h"): try recall(Int(try reader.u8()))
    case UInt8(ascii: "j"): try recall(Int(try reader.u32()))
    default: throw Misuse("opcode 0x\(String(code, radix: 16)), which no checkpoint of tensors needs")
    }
  }

  private func pairs(_ items: [PickleValue]) throws -> [PickleValue] {
    guard items.count % 2 == 0 else { throw Misuse("a key without a value") }
    return items
  }

  private mutating func global(_ module: String, _ name: String, _ allowed: (String) throws -> Void) throws {
    try allowed("\(module).\(name)")
    try make(.global("\(module).\(name)"))
  }

  /// What a call would make stays a call, but for an ordered dictionary, which is one like any other.
  private mutating func call() throws {
    let arguments = try pop(), function = try pop()
    guard let tuple = self[arguments], tuple.kind == .tuple, let called = self[function]?.kind,
      case .global(let name) = called
    else { throw Misuse("calls what is no name, or with what is no tuple") }
    guard name == "collections.OrderedDict" else { return try make(.call, [function, arguments]) }
    // Python 2 hands over a list of pairs; later versions add them one by one.
    let given = tuple.items.first.flatMap { self[$0]?.items } ?? []
    try make(.dictionary, given.flatMap { self[$0]?.items.prefix(2) ?? [] })
    guard case .object(let made)? = stack.last, objects[made].items.count == 2 * given.count else {
      throw Misuse("makes a dictionary of what are no pairs")
    }
  }

  // MARK: Values

  private static func integer(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
    guard bytes.count <= 8 else { return .bytes(Array(bytes)) }
    guard let last = bytes.last else { return .integer(0) }
    var value = last >= 0x80 ? -1 : 0
    for byte in bytes.reversed() { value = value << 8 | Int(byte) }
    return .integer(value)
  }

  /// Texts that are no UTF-8, which Python 2 wrote, lose what is none.
  private static func text(_ reader: inout ByteReader, _ count: some BinaryInteger) throws -> PickleValue {
    guard count <= longestText else {
      throw CompressError("a pickle with a text of \(count) bytes; at most \(longestText) are read", kind: .limit)
    }
    return .text(String(decoding: try reader.slice(count), as: UTF8.self))
  }

  private static func line(_ reader: inout ByteReader) throws -> String {
    var bytes: [UInt8] = []
    while case let byte = try reader.u8(), byte != 0x0A {
      bytes.append(byte)
      guard bytes.count <= TensorEntry.longestName else { throw Misuse("a name without an end") }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
