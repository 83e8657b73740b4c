/// A table of numbers in the written file.
struct CConstant {
  enum Values {
    case floats([Float])
    case int8([Int8])
    case uint8([UInt8])
    case int16([Int16])
    case int32([Int32])
  }

  let name: String
  let values: Values

  var type: String {
    switch values {
    case .floats: "float"
    case .int8: "int8_t"
    case .uint8: "uint8_t"
    case .int16: "int16_t"
    case .int32: "int32_t"
    }
  }

  var byteCount: Int {
    switch values {
    case .floats(let values): values.count * 4
    case .int8(let values): values.count
    case .uint8(let values): values.count
    case .int16(let values): values.count * 2
    case .int32(let values): values.count * 4
    }
  }

  /// Integers in the narrowest type that holds them all.
  init(_ name: String, indices: [Int]) {
    let range = (indices.min() ?? 0)...(indices.max() ?? 0)
    self.name = name
    if range.lowerBound >= 0, range.upperBound < 256 {
      values = .uint8(indices.map { UInt8($0) })
    } else if range.lowerBound >= -32768, range.upperBound < 32768 {
      values = .int16(indices.map { Int16($0) })
    } else {
      values = .int32(indices.map { Int32($0) })
    }
  }

  init(_ name: String, _ values: Values) {
    self.name = name
    self.values = values
  }

  func append(to text: inout [UInt8]) {
    func write(_ count: Int, _ element: (Int) -> String) {
      text.append(contentsOf: "static const \(type) \(name)[\(max(count, 1))] = {".utf8)
      var column = 121
      for index in 0..<count {
        let item = element(index) + ","
        if column + item.utf8.count + 1 > 118 {
          text.append(contentsOf: "\n ".utf8)
          column = 1
        }
        text.append(UInt8(ascii: " "))
        text.append(contentsOf: item.utf8)
        column += item.utf8.count + 1
      }
      text.append(contentsOf: (count == 0 ? "0};\n" : "\n};\n").utf8)
    }
    switch values {
    case .floats(let values): write(values.count) { CText.float(values[$0]) }
    case .int8(let values): write(values.count) { "\(values[$0])" }
    case .uint8(let values): write(values.count) { "\(values[$0])" }
    case .int16(let values): write(values.count) { "\(values[$0])" }
    // The least of 32 bits is no literal of that type.
    case .int32(let values): write(values.count) { values[$0] == .min ? "-2147483647 - 1" : "\(values[$0])" }
    }
  }
}
