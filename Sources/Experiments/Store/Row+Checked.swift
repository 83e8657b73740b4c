import Diagnostics
import GRDB

extension Row {
  /// The value of a column, which anybody may have written: SQLite keeps a text where a number should be.
  ///
  /// - Throws: `CompressError` naming the column when it is of another type.
  func checked<Value: DatabaseValueConvertible>(_ column: String, _ type: Value.Type = Value.self) throws -> Value {
    guard let value = try checked(column, as: type) else {
      throw CompressError("is damaged: \(column) is missing", kind: .input)
    }
    return value
  }

  /// nil for NULL.
  func checked<Value: DatabaseValueConvertible>(_ column: String, as type: Value.Type = Value.self) throws -> Value? {
    let stored: DatabaseValue = self[column]
    guard !stored.isNull else { return nil }
    guard let value = Value.fromDatabaseValue(stored) else {
      throw CompressError(
        "is damaged: \(column) is \(stored.description.escapedForTerminal.shortened(to: 40))", kind: .input)
    }
    return value
  }
}
