import Foundation
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

  @Test func ownDataIsRead() throws {
    let folder = try ScriptFolder()
    try folder.write("i.idx", "\0\0\u{8}\u{3}\0\0\0\u{2}\0\0\0\u{1}\0\0\0\u{2}ABCD")
    try folder.write("l.idx", "\0\0\u{8}\u{1}\0\0\0\u{2}\0\u{1}")
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }"
    let labels = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"
    for (name, header, content) in [("x.npy", header, "ABCD"), ("y.npy", labels, "\u{1}\0")] {
      // Version 1: the magic byte is no text, so the file is put together here.
      var bytes: [UInt8] = [0x93]
      bytes += "NUMPY".utf8
      bytes += [1, 0, UInt8(header.utf8.count), 0]
      bytes += (header + content).utf8
      try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }
    let printed = try run(
      """
      local a = data.idx("i.idx", "l.idx", { scale = 255 })
      print(a.name, a.count, a.classes, a:batch(1, 1):sum())
      local b = data.numpy("x.npy", { labels_file = "y.npy", classes = 7, scale = 255 })
      print(b.name, b.count, b.classes, b:batch(2, 2):sum(), select(2, b:batch(1, 2))[1])
      """, in: folder
    ).printed
    // The classes of "y.npy" are 1 and 0 in the file: the second and the first.
    #expect(printed == ["i.idx\t2\t2\t131.0", "x.npy\t2\t7\t135.0\t2"])
  }

  /// Classes count from 1 as all that scripts see does: what `batch` says is what `argmax` says.
  @Test func classesAreThoseOfArgmax() throws {
    let printed = try run(
      """
      local d = dataset "digits"
      local m = train(zoo.quick_cnn(), { data = d.train:take(1500), batch = 50, learning_rate = 0.003 })
      local test = d.test:take(200)
      local images, classes = test:batch(1, 200)
      local answers, right, low, high = compile(m):run(images):argmax(2), 0, 99, 0
      for i, class in ipairs(classes) do
        if class == answers:at(i) then right = right + 1 end
        low, high = math.min(low, class), math.max(high, class)
      end
      print(right == evaluate(m, test).correct, right > 100, low, high)
      local worst = differences(m, quantize(m, use "int4" {}), { data = test, worst = 200 }).worst
      local same = true
      for _, sample in ipairs(worst) do
        same = same and sample.label == classes[sample.index] and sample.predictions[1] == answers:at(sample.index)
      end
      print(same, #worst > 0)
      """
    ).printed
    #expect(printed == ["true\ttrue\t1\t10", "true\ttrue"])
  }

  @Test func labelsThatCountFromOne() throws {
    let folder = try ScriptFolder()
    try folder.write("i.idx", "\0\0\u{8}\u{3}\0\0\0\u{2}\0\0\0\u{1}\0\0\0\u{2}ABCD")
    try folder.write("l.idx", "\0\0\u{8}\u{1}\0\0\0\u{2}\u{2}\u{1}")
    let plain = try run("print(data.idx('i.idx', 'l.idx').classes)", in: folder)
    #expect(plain.printed == ["3"])
    #expect(
      plain.notes == ["i.idx: no sample has a label below 1; if the labels count from 1, say first_label = 1"])
    let told = try run(
      "local d = data.idx('i.idx', 'l.idx', { first_label = 1 }) print(d.classes, select(2, d:batch(1, 2))[1])",
      in: folder)
    #expect(told.printed == ["2\t2"] && told.notes.isEmpty)
    let error = try #require(failure("data.idx('i.idx', 'l.idx', { classes = 2 })", in: folder))
    #expect(error.message == "sample 1 has the label 2; the labels of 2 classes are 0 to 1")
    #expect(error.hint == "the labels count from 1: first_label = 1")
  }

  @Test func imageFoldersTrainAndTellWhatIsBroken() throws {
    let folder = try ScriptFolder(["photos/a/broken.jpg": "no image"])
    // One black pixel: signature, header, deflated row, end.
    let png = try #require(
      Data(
        base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="))
    for name in ["a/1", "a/2", "b/1", "b/2", "b/3"] {
      try folder.write("photos/\(name).png", "")
      try png.write(to: URL(fileURLWithPath: "\(folder.path)/photos/\(name).png"))
    }
    let text = """
      local photos = data.images("photos", { size = 8, short_side = 8, broken = "skip" })
      print(photos.count, photos.classes, table.concat(photos:shape(), "x"))
      train(zoo.lenet_300_100 { input = { 8, 8, 3 }, classes = 2 }, { data = photos:augment { flip = true }, batch = 2 })
      """
    let result = try run(text, in: folder)
    #expect(result.printed == ["5\t2\t8x8x3"])
    #expect(
      result.notes.contains {
        $0.hasPrefix("photos: 1 image cannot be read, 1 left out: ") && $0.contains("photos/a/broken.jpg (neither JPEG")
      }, "\(result.notes)")
    let error = try #require(failure(text.replacing(", broken = \"skip\"", with: ""), in: folder))
    #expect(error.message.contains("neither JPEG nor PNG"))
    #expect(error.file?.hasSuffix("photos/a/broken.jpg") == true)
  }

  @Test(arguments: [
    ("data.images('/etc')", "no file name inside"), ("data.images('../x')", "no file name inside"),
    ("data.images('none')", "there is no file \"none\""),
    ("data.images('.', { classes = { '../..' } })", "no name of a class folder"),
    ("data.images('.', { classes = { 'a', 'a' } })", "named twice"),
    ("data.images('.', { size = 300, short_side = 200 })", "cannot be cut out"),
    ("data.numpy('script.lua')", "not a zip archive"),
    ("data.numpy('x.npy')", "there is no file"),
    ("data.idx('script.lua', 'script.lua')", "not an IDX file"),
    ("data.idx('script.lua')", "argument 2"),
    ("data.csv('x')", "csv"),
    ("dataset('digits', { size = 3 })", "no folder of images"),
  ])
  func ownDataMistakesAreNamed(text: String, message: String) throws {
    let error = try #require(failure(text))
    #expect(error.message.contains(message), "\(error)")
  }
}
