import Analysis
import ArgumentParser
import Confinement
import Datasets
import Diagnostics
import Files
import Formats
import Foundation
import Network
import Reports
import Runtime
import Tensors

/// `compress predict MODEL IMAGE…`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Say what a model sees in pictures.",
    discussion: """
      Pictures (JPEG, PNG) become what the model says it takes: cut, resized, normalized. Of a model that does not say, \
      the whole picture is resized, and pixels are numbers from 0 to 1; --normalize NAME makes them others. \
      Probabilities are the model's own where it ends in a softmax, otherwise the softmax of its scores.
      """)

  @Argument(help: "A model file.", completion: .file())
  var model: String

  @Argument(help: "Pictures.", completion: .file())
  var pictures: [String]

  @OptionGroup var reading: ReadingOptions

  @Option(parsing: .unconditional, help: "Classes of each picture, the likeliest first.")
  var top = 5

  @OptionGroup var normalizing: NormalizationOptions

  @Option(
    help: ArgumentHelp("Names of the classes, one a line (default: the model's own).", valueName: "file"),
    completion: .file())
  var classes: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "A JSON array, one object a picture: picture, and top with class, index and probability, or error.")
  var json = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  /// Bytes of a file of names.
  private static let longestNames = 1 << 20

  struct Answer: Encodable {
    struct Guess: Encodable {
      let name: String
      let index: Int
      let probability: Double

      private enum CodingKeys: String, CodingKey { case name = "class", index, probability }
    }

    let picture: String
    var top: [Guess]?
    var error: String?
  }

  func validate() throws {
    if top < 1 { throw ValidationError("--top \(top): at least 1") }
    if pictures.isEmpty { throw ValidationError("name at least one picture") }
  }

  func run() throws {
    try Broker.seal()
    try confinement.confine(Rights(readable: Rights.model(model) + pictures + [classes].compactMap { $0 }))
    let model = try ModelFile.read(self.model, try reading.options())
    let names = try names(of: model), preprocessing = try preprocessing(of: model)
    let classifier = try model.classifying(), probabilities = Probabilities(of: classifier.graph)
    let session = Session(try compile(classifier), pool: try threads.pool())
    var answers: [Answer] = []
    for picture in pictures {
      do {
        let sample = try PictureFiles.open([picture], as: preprocessing).batch([0]).images
        let scores = probabilities.of(try session.run(sample).array(Float.self))
        answers.append(Answer(picture: picture, top: try guesses(scores, names)))
      } catch let error as CompressError where error.kind == .input || error.kind == .limit {
        answers.append(Answer(picture: picture, error: error.message))
      }
    }
    let terminal = Terminal(.output)
    if json { try terminal.writeJSON(answers) } else { show(answers, on: terminal) }
    if answers.contains(where: { $0.error != nil }) { throw ExitCode(2) }
  }

  private func show(_ answers: [Answer], on terminal: Terminal) {
    var table = TextTable([
      TextTable.Column("picture", .left, cutTo: 16), TextTable.Column("class", .left, cutTo: 16),
      TextTable.Column("probability", .right), TextTable.Column("", .left, leftOut: 1),
    ])
    for answer in answers {
      for (place, guess) in (answer.top ?? []).enumerated() {
        table.add([
          place == 0 ? TextTable.Cell(answer.picture, .bold) : "",
          place == 0 ? TextTable.Cell(guess.name, .bold) : TextTable.Cell(guess.name),
          TextTable.Cell(Formatting.percent(guess.probability)),
          TextTable.Cell(TerminalProgress.bar(guess.probability, width: 20), .dim),
        ])
      }
      if let error = answer.error {
        table.add([TextTable.Cell(answer.picture, .bold), TextTable.Cell(error, .red), "", ""])
      }
    }
    terminal.write(table.rendered(for: terminal))
  }

  /// - Throws: `CompressError` when a score is NaN.
  private func guesses(_ scores: [Float], _ names: [String]?) throws -> [Answer.Guess] {
    guard !scores.contains(where: \.isNaN) else {
      throw CompressError("the model answers NaN to it", kind: .input)
    }
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    return order.prefix(top).map {
      Answer.Guess(name: names?[$0] ?? "\($0)", index: $0, probability: Double(scores[$0]))
    }
  }

  private func names(of model: Model) throws -> [String]? {
    let shape = model.graph.outputShape
    guard shape.rank == 1 else {
      throw CompressError(
        "its output of shape \(shape) is no list of class scores: there is no class to name",
        hint: "compress inspect shows the outputs"
      ).at(file: self.model)
    }
    guard let classes else { return model.signature.classes }
    let names = try atFile(classes) {
      try MappedFile(classes, limit: Self.longestNames).withBytes {
        // Of other systems: lines that end otherwise, and a mark in front.
        String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline)
          .map { $0.trimmingCharacters(in: .whitespaces.union(CharacterSet(charactersIn: "\u{FEFF}"))) }
      }.filter { !$0.isEmpty }
    }
    guard names.count == shape[0] else {
      throw CompressError("\(names.count) name\(names.count == 1 ? "" : "s") for \(shape[0]) class scores").at(
        file: classes)
    }
    return names
  }

  private func preprocessing(of model: Model) throws -> Preprocessing {
    let known = model.signature.preprocessing, chosen = try normalizing.chosen()
    if let known, chosen == nil { return known }
    let shape = model.graph.inputShape
    guard shape.rank == 3, [1, 3].contains(shape[2]) else {
      throw CompressError("it takes values of shape \(shape), no pictures").at(file: self.model)
    }
    if chosen == nil {
      tellAssumption(
        "the model does not say what it takes: whole pictures are resized to \(shape[0])x\(shape[1]), and pixels are "
          + "numbers from 0 to 1; --normalize NAME makes them others")
    }
    let numbers = chosen ?? Normalization()
    return try Preprocessing(
      crop: known?.crop, height: shape[0], width: shape[1], channels: shape[2] == 1 ? .grey : .rgb,
      scale: numbers.scale, mean: numbers.mean, deviation: numbers.deviation)
  }
}
