import CConfinement
import Diagnostics

/// An argument of a program that the broker starts: text that is fixed, with places for values of stated forms.
public struct ArgumentForm: Sendable {
  let text: String

  private init(unchecked text: String) { self.text = text }

  /// Text that is fixed.
  ///
  /// - Throws: `CompressError` when it holds a byte that cannot be in an argument, or that stands for a place.
  public init(_ text: String) throws {
    guard !text.utf8.contains(0), !text.utf8.contains(UInt8(cbroker_value)) else {
      throw CompressError("\"\(text.escapedForTerminal)\" cannot be handed to a program")
    }
    self.text = text
  }

  /// One to nine digits.
  public static let digits = place(cbroker_digits)
  /// An absolute path without `..`.
  public static let path = place(cbroker_path)
  /// Digits with commas between them.
  public static let list = place(cbroker_list)

  private static func place(_ form: Int) -> ArgumentForm {
    ArgumentForm(unchecked: String(decoding: [UInt8(cbroker_value), UInt8(form)], as: UTF8.self))
  }

  public static func + (left: ArgumentForm, right: ArgumentForm) -> ArgumentForm {
    ArgumentForm(unchecked: left.text + right.text)
  }
}
