import Testing

/// What scripts say about data.
struct DataScriptTests {
  @Test func imagesAreConverted() throws {
    let printed = try run(
      """
      local d = dataset "digits" { resize = { 20, 10 }, channels = 3, normalize = { mean = { 0.5 }, std = { 0.25 } } }
      print(table.concat(d.train:shape(), "x"), d.train.count, d.test.count)
      local images = d.test:batch(1, 50)
      print(images:min(), images:max() <= 2)
      print(table.concat(dataset("digits", { resize = 75, scale = 255 }).test:shape(), "x"))
      local raw = dataset("digits").test:take(20):with { scale = 255 }
      print(raw:batch(1, 20):max() == 255, raw.count)
      """
    ).printed
    #expect(printed == ["20x10x3\t20000\t5000", "-2.0\ttrue", "75x75x1", "true\t20"])
  }

  /// A data set and the same with options are one data set to `evaluate(model)`.
  @Test func optionsMakeNoSecondDataSet() throws {
    try run(
      """
      local d = dataset "digits" { normalize = "mnist" }
      print(evaluate(train(zoo.quick_cnn(), { data = d.train:take(64) })).count)
      """)
  }

  @Test func augmentedDataTrains() throws {
    let text = """
      local d = dataset "digits" { normalize = "mnist" }
      local t = d.train:take(128)
      local options = { pad_crop = 2, flip = true, brightness = 0.2, contrast = 0.2, cutout = 4 }
      local a = train(zoo.quick_cnn(), { data = t:augment(options), epochs = 2 })
      local b = train(zoo.quick_cnn(), { data = t, epochs = 2 })
      """
    let stages = try run(text).outcome.leaves
    #expect(stages.count == 2)
    #expect(stages[0].key != stages[1].key)
    #expect(try run(text, compute: false).outcome.leaves[0].key == stages[0].key)
  }

  @Test(arguments: [
    ("dataset 'digits' { normalise = 'mnist' }", "(did you mean \"normalize\"?)"),
    ("dataset 'digits' { normalize = 'minst' }", "(did you mean \"mnist\"?)"),
    ("dataset 'digits' { normalize = 'imagenet' }", "3 means for images of 1 channel"),
    ("dataset 'digits' { normalize = { mean = { 1 } } }", "\"std\" is missing"),
    ("dataset 'digits' { normalize = 'mnist', scale = 255 }", "not both"),
    ("dataset 'digits' { resize = 0 }", "from 1 to 4096"),
    ("dataset 'digits' { resize = { 1.5, 2 } }", "not [0, 2]"),
    ("dataset 'digits' { resize = { 28 } }", "not [28]"),
    ("dataset 'digits' { channels = 2 }", "grey (1) and colour (3)"),
    ("dataset 'digits' { labels = 'coarse' }", "cifar100"),
    ("dataset 'digits' {} {}", "one table of options"),
    ("dataset('digits', {}, 1)", "2 arguments"),
    ("dataset('digits').train:augment { saturation = 0.5 }", "saturation is for colour"),
    ("dataset('digits').train:augment { brightness = 2 }", "not within 0 and 1"),
    ("dataset('digits').train:augment { flip = 1 }", "true or false"),
    ("dataset('digits').train:with { labels = 'fine' }", "there is no option \"labels\""),
  ])
  func mistakesAreNamed(text: String, message: String) throws {
    let error = try #require(failure(text))
    #expect(error.message.contains(message), "\(error)")
    #expect(error.line == 1)
  }
}
