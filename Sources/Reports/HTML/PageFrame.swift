/// What every page has around its sections: the head with the policy, the first lines and the charts' scripts.
struct PageFrame {
  let style: String
  let policy: String
  let chartVersion: String
  let chartSource: String
  /// What the charts draw, as JSON.
  let data: String
  let script: String
  /// One, or none where no table can be sorted.
  let tableScripts: [String]

  /// - Parameters:
  ///   - charts: nil for a page of tables.
  ///   - data: what `script` draws.
  ///   - sorts: whether tables of the class `sortable` can be sorted.
  init(style: String, charts: ChartLibrary?, data: some Encodable, script: String, sorts: Bool = false) throws {
    tableScripts = sorts ? [tableScript] : []
    self.style = style
    self.script = script
    chartVersion = charts?.version ?? ""
    chartSource = charts?.source ?? ""
    self.data = charts == nil ? "" : try ScriptText.json(data)
    let admitted = (charts.map { [$0.source, script] } ?? []) + tableScripts
    let scripts = admitted.isEmpty ? "'none'" : admitted.map(ScriptText.policySource).joined(separator: " ")
    policy =
      "default-src 'none'; style-src 'unsafe-inline'; script-src \(scripts); img-src data:; base-uri 'none'; "
      + "form-action 'none'"
  }

  /// A page in Mustache: `{{x}}` is escaped for HTML, `{{{x}}}` is the program's own style, script and JSON. Of its
  /// content it wants `frame`, `title`, `headline`, `lead`, `tiles` and `hasCharts`.
  ///
  /// It is well-formed XML too, scripts apart, so that tests can take it apart.
  static func template(kicker: String, sections: String, footer: String) -> String {
    #"""
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="{{frame.policy}}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>\#(kicker) · compress</title>
    <style>{{{frame.style}}}</style>
    </head>
    <body>
    <header>
      <p class="kicker">compress · \#(kicker)</p>
      <h1>{{headline}}</h1>
      <p class="lead">{{lead}}</p>
      <div class="tiles">
        {{#tiles}}
        <div class="tile"><span class="caption">{{caption}}</span><b>{{number}}</b><small>{{before}}</small></div>
        {{/tiles}}
      </div>
    </header>
    <main>
    \#(sections)
    </main>
    <footer><p class="fine">\#(footer)</p></footer>
    {{#hasCharts}}
    <script type="application/json" id="data">{{{frame.data}}}</script>
    <script>{{{frame.chartSource}}}</script>
    <script>{{{frame.script}}}</script>
    {{/hasCharts}}
    {{#frame.tableScripts}}
    <script>{{{.}}}</script>
    {{/frame.tableScripts}}
    </body>
    </html>

    """#
  }
}
