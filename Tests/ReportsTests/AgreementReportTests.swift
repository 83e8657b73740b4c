import Diagnostics
import Foundation
import Pipeline
import Testing

@testable import Reports

@Suite struct AgreementReportTests {
  @Test func theTableHoldsOutputsAgainstTheFirst() throws {
    let results = Synthetic.results(try Synthetic.agreeing())
    let text = ComparisonTable(results).rendered(for: plain)
    let rows = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0].prefix(3) == ["variant", "same", "cosine"])
    #expect(rows[3].prefix(4) == ["int8", "90.00", "%", "0.9987"])
    #expect(!text.contains("flips") && !text.contains("accuracy"))
    let flat = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(flat.contains("No labels: the outputs of baseline are the measure, over 1,000 samples of digits.test."))
    #expect(flat.contains("The outputs of “pruned” (cosine 0.6100) are not those of “baseline” any more."))
  }

  @Test func theFileKeepsThem() throws {
    let results = Synthetic.results(try Synthetic.agreeing())
    let back = try JSONDecoder().decode(ResultsFile.self, from: JSONEncoder().encode(results))
    #expect(back.variants.map(\.agreement) == results.variants.map(\.agreement))
    #expect(back.isByAgreement && back.variants[1].agreement?.outputs[0].same == 0.9)
    #expect(!Synthetic.results(try Synthetic.outcome()).isByAgreement)
  }

  @Test func theReportSaysWhatTheMeasureIs() throws {
    let page = try HTMLReport(Synthetic.results(try Synthetic.agreeing()), charts: nil).rendered()
    #expect(page.contains("<th>Same answer</th>") && page.contains("cosine 0.9987"))
    #expect(page.contains("and at a cosine of 0.9987 to its outputs"))
    #expect(!page.contains("<th>Variant</th><th>Accuracy</th>") && !page.contains("points of accuracy"))
  }
}
