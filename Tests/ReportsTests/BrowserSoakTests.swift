import Foundation
import Testing

@testable import Reports

/// Opens reports in a real browser: run by `make soak`, skipped with a word where Chromium or Chart.js is missing.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["COMPRESS_SOAK"] == "1"))
struct BrowserSoakTests {
  static let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Runs the browser on a file; what it printed and complained about.
  func browse(_ path: String, _ arguments: [String], in folder: String) throws -> (output: String, log: String) {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(Self.chromium))
    let log = folder + "/browser.log"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.standardOutput = output
    process.standardError = FileHandle(forWritingAtPath: log)
    process.environment = ProcessInfo.processInfo.environment.merging(["HOME": folder]) { $1 }
    process.arguments =
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--user-data-dir=\(folder)/profile", "--enable-logging=stderr", "--virtual-time-budget=20000",
        "--timeout=120000",
      ] + arguments + ["file://\(path)"]
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return (text, String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self))
  }

  /// Counts the points of every canvas that are not transparent and leaves the counts in the document.
  static let probe = """
    <script>addEventListener("load", () => setTimeout(() => {
      document.body.dataset.canvases = Array.from(document.querySelectorAll("canvas"), canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let drawn = 0;
        for (let i = 3; i < pixels.length; i += 4) if (pixels[i] > 0) drawn += 1;
        return canvas.id + "=" + drawn;
      }).join(" ");
      document.body.dataset.alerted = String(window.alerted === true);
    }, 1000));</script>
    """

  @Test(arguments: [120, 20_000]) func opensInChromiumWithItsChartsDrawn(samples: Int) throws {
    guard Self.chromium != nil, let charts = ChartLibrary.installed() else {
      print("SKIPPED: the report was not opened in a browser: install chromium and \(ChartLibrary.package)")
      return
    }
    let folder = try TemporaryFolder()
    let names = [
      "baseline", "</script><script>window.alerted=true</script>", "<img src=x onerror=window.alerted=true>",
    ]
    let results = Synthetic.results(try Synthetic.pruned(try Synthetic.outcome(names: names, samples: samples)))
    let page = folder.path + "/report.html"
    try HTMLReport(results, charts: charts).write(to: page)

    let shot = folder.path + "/report.png"
    let (_, log) = try browse(page, ["--screenshot=\(shot)", "--window-size=1200,3000"], in: folder.path)
    let said = log.split(separator: "\n").filter { $0.contains("CONSOLE") }
    #expect(said.isEmpty, "\(said.joined(separator: "\n"))")
    let size = try #require(FileManager.default.contents(atPath: shot)).count
    #expect(size > 50_000)

    // The page's policy would refuse the probe: it is let in by taking the policy out of a copy.
    let probed = folder.path + "/probed.html"
    let html = try HTMLReport(results, charts: charts).rendered()
      .replacing(#/<meta http-equiv="Content-Security-Policy"[^>]*>/#, with: "")
      .replacing("</body>", with: Self.probe + "</body>")
    try Data(html.utf8).write(to: URL(fileURLWithPath: probed))
    let (document, _) = try browse(probed, ["--dump-dom", "--window-size=1200,3000"], in: folder.path)
    let counts = try #require(document.firstMatch(of: #/data-canvases="([^"]*)"/#)).output.1.split(separator: " ")
    #expect(counts.count == 9)
    for count in counts {
      #expect(try #require(Int(count.split(separator: "=")[1])) > 500, "\(count)")
    }
    #expect(document.contains(#"data-alerted="false""#))
  }
}
