import Diagnostics
import Reports
import Scripting

/// A plugin explained: name, kind, summary and a table of its options.
struct PluginText {
  private let plugin: PluginCatalog.Description

  init(_ plugin: PluginCatalog.Description) { self.plugin = plugin }

  func rendered(for terminal: Terminal) -> String {
    let name = terminal.styled(plugin.name.escapedForTerminal, .bold)
    var text = "\(name)  \(terminal.styled("\(plugin.kind) plugin", .dim))\n"
    text += terminal.wrapped(plugin.summary.escapedLines)
    guard !plugin.options.isEmpty else { return text }
    var table = TextTable([
      TextTable.Column("option", .left), TextTable.Column("takes", .left, cutTo: 14),
      TextTable.Column("default", .left, cutTo: 8), TextTable.Column("", .left),
    ])
    for option in plugin.options {
      table.add([
        TextTable.Cell(option.name, .bold), TextTable.Cell(option.type),
        option.isRequired ? TextTable.Cell("required", .yellow) : TextTable.Cell(option.standard ?? "none", .dim),
        TextTable.Cell(option.help),
      ])
    }
    return text + "\n" + table.rendered(for: terminal)
  }
}
