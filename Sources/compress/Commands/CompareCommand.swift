import Analysis
import ArgumentParser
import Confinement
import Datasets
import Diagnostics
import Formats
import Kernels
import Pipeline
import Reports

/// `compress compare A B --data NAME`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Tell where a quantized model departs from its original.",
    discussion: """
      Runs both on the same labelled samples: how accurate each is, how many predictions change, how far each layer's \
      output is off (with everything before it quantized, too, and with that layer alone quantized), and which samples \
      are furthest off. SQNR is signal to noise in decibels; 20 dB is an error of a tenth.
      """)

  @Argument(help: "The original: a model file.")
  var original: String

  @Argument(help: "What was made of it: a model file.")
  var changed: String

  @Option(help: "The data set, as in dataset \"NAME\"; its test half.")
  var data: String

  @Option(help: "How its pixels are normalized: mnist, cifar10, imagenet, symmetric …")
  var normalize: String?

  @Option(
    help: ArgumentHelp("Where data sets lie, besides $COMPRESS_DATA and ~/.cache/compress/data.", valueName: "dir"))
  var root: String?

  @Option(help: "Samples; all by default.")
  var images: Int?

  @Option(help: "The first so many samples that layers are compared on; 0 for none.")
  var layers = 64

  @Option(help: "How many of the samples that are furthest off to name.")
  var worst = 10

  @Option(help: "Threads.")
  var threads = 1

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try Broker.seal()
    try confinement.confine(Rights(readable: Rights.model(original) + Rights.model(changed) + Rights.data(root)))
    let first = try ModelFile.read(original), second = try ModelFile.read(changed)
    var options = DatasetCatalog.Options()
    if let normalize {
      guard let known = Normalization.named[normalize] else {
        let names = Normalization.named.keys.sorted()
        throw CompressError(
          "--normalize: there is no normalization \"\(normalize)\"" + Suggestion.text(for: normalize, among: names))
      }
      options.images.normalization = known
    }
    var test = try DatasetCatalog.open(data, roots: DatasetCatalog.roots(data: root), options: options).test
    if let images {
      guard (1...test.count).contains(images) else {
        throw CompressError("--images \(images): \"\(test.name)\" has \(test.count) samples")
      }
      test = try test.taking(images)
    }
    guard layers >= 0, worst >= 0 else { throw CompressError("--layers and --worst are numbers from 0 up") }
    let context = StageContext(pool: try ThreadPool(threads: threads), progress: TerminalProgress())
    let found = try Differences(first, second, on: test, layerSamples: layers, worstCount: worst, context: context.work)
    let terminal = Terminal(.output)
    terminal.write(DifferencesTable(found).rendered(for: terminal))
  }
}
