import Testing

/// A network of random features whose last layer is fitted.
@Suite struct FitLastLayerTests {
  @Test func randomFeaturesTellClassesApart() throws {
    let result = try run(
      """
      local digits = dataset "digits"
      local fitted = fit_last_layer(zoo.lab_cnn(), digits.train:take(500))
      print(evaluate(zoo.lab_cnn(), digits.test:take(500)).accuracy, evaluate(fitted, digits.test:take(500)).accuracy)
      """)
    let accuracies = try #require(result.printed.first).split(separator: "\t").compactMap { Double($0) }
    #expect(accuracies.count == 2 && accuracies[0] < 0.3 && accuracies[1] > 0.6, "\(result.printed)")
  }

  /// One sample a class says nothing of how features vary within it.
  @Test func oneSampleOfEachClassIsEnough() throws {
    let result = try run(
      """
      local digits = dataset "digits"
      local few    = digits.train:take(10)
      local fitted = fit_last_layer(zoo.lab_cnn(), few)
      local layers = fitted:layers()
      print(layers[#layers].weight:abs():max() < 1e4)
      print(evaluate(quantize(fitted, use "int8" { calibration = few }), few).accuracy)
      """)
    #expect(result.printed.first == "true", "\(result.printed)")
    #expect(try #require(Double(result.printed.last ?? "")) >= 0.8, "\(result.printed)")
  }
}
