import Diagnostics
import Mustache

/// A page's template, whose `{{x}}` are escaped for text and for attributes in double quotes.
///
/// The library's own escapes go by what a reader sees as one character, and so leave a `<` alone that follows a letter
/// which joins it, or a quotation mark with an accent. Browsers see the `<`.
enum PageTemplate {
  private static let contentType = "HTML-by-scalars"

  private struct Scalars: MustacheContentType {
    func escapeText(_ text: String) -> String {
      text.replacingScalars(["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&#39;", "`": "&#96;"])
    }
  }

  /// Once; the library keeps them by name.
  private static let registration: Void = MustacheContentTypes.register(Scalars(), named: contentType)

  static func render(_ template: String, _ page: Any) throws -> String {
    _ = registration
    return try MustacheTemplate(string: "{{% CONTENT_TYPE: \(contentType)}}" + template).render(page)
  }
}
