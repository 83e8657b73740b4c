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

  /// What is no accuracy is nowhere called one.
  @Test func theFileKnowsNoAccuracy() throws {
    let results = Synthetic.results(try Synthetic.pruned(Synthetic.agreeing()))
    let data = try JSONEncoder().encode(results)
    let json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let variant = try #require((json["variants"] as? [[String: Any]])?[1])
    let intervals = try #require(variant["intervals_95"] as? [String: Any])
    let versus = try #require(variant["versus_first"] as? [String: Any])
    for keys in [variant.keys, intervals.keys, versus.keys] {
      #expect(Set(keys).isDisjoint(with: ["accuracy", "accuracy_95", "gained", "lost"]), "\(keys)")
    }
    let back = try JSONDecoder().decode(ResultsFile.self, from: data)
    #expect(back.variants[1].accuracy == 0.9 && back.variants[1].agreement?.same == 0.9)
    #expect(back.variants[1].intervals?.agreement?.contains(0.9) == true && back.variants[1].intervals?.accuracy == nil)
    let rounds = try #require(back.pruning?[0].rounds)
    #expect(rounds.allSatisfy { $0.accuracy == nil })
    #expect(rounds.map { Formatting.percent($0.agreement ?? 0) } == ["95.00 %", "93.00 %", "91.00 %"])
  }

  @Test func filesOfVersion3AreRead() throws {
    let results = Synthetic.results(try Synthetic.agreeing())
    var json = try #require(
      JSONSerialization.jsonObject(with: JSONEncoder().encode(results)) as? [String: Any])
    json["version"] = 3
    json["variants"] = (json["variants"] as? [[String: Any]])?.map { variant in
      var variant = variant, agreement = variant["agreement"] as? [String: Any]
      variant["accuracy"] = agreement?.removeValue(forKey: "same")
      variant["agreement"] = agreement
      return variant
    }
    let back = try JSONDecoder().decode(ResultsFile.self, from: JSONSerialization.data(withJSONObject: json))
    #expect(back.variants.map(\.accuracy) == [1, 0.9, 0.8] && back.isByAgreement)
  }

  @Test func theReportSaysWhatTheMeasureIs() throws {
    let page = try HTMLReport(Synthetic.results(try Synthetic.agreeing()), charts: nil).rendered()
    #expect(page.contains("<th>Same answer</th>") && page.contains("cosine 0.9987"))
    #expect(page.contains("and at a cosine of 0.9987 to its outputs"))
    #expect(!page.contains("<th>Variant</th><th>Accuracy</th>") && !page.contains("points of accuracy"))
  }
}
