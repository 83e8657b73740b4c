import Datasets
import Diagnostics
import LuaHost
import Pipeline

/// Samples as scripts hold them.
final class DataObject: NamedForScripts {
  static let scriptName = "Data"
  let data: any Dataset

  init(_ data: any Dataset) { self.data = data }
}

/// What `dataset "mnist"` gives.
final class DataPairObject: NamedForScripts {
  static let scriptName = "Dataset"
  let train: DataObject
  let test: DataObject
  /// What options may still be given to: a data set as its name gives it.
  let name: String?

  init(_ pair: DatasetPair, name: String?) {
    self.name = name
    train = DataObject(pair.train)
    test = DataObject(pair.test)
  }
}

extension ScriptSession {
  func defineData() {
    let data = LuaClass<DataObject>("Data", bytes: { 512 + $0.data.indexBytes })
    data.property("name", "string") { .string($0.data.name) }
    data.property("count", "integer", "samples") { .integer($0.data.count) }
    data.property("classes", "integer") { .integer($0.data.classCount) }
    data.method("shape", "(): integer[]", "Of one sample.") { [unowned self] data, _ in
      [.table(try state.list(data.data.sampleShape.dims))]
    }
    data.method("take", "(count: integer): Data", "The first samples.") { data, arguments in
      [.object(DataObject(try data.data.taking(try arguments.int(0))))]
    }
    data.method("drop", "(count: integer): Data", "All but the first samples.") { data, arguments in
      [.object(DataObject(try data.data.dropping(try arguments.int(0))))]
    }
    data.method("sample", "(count: integer, seed?: integer): Data", "Samples chosen at random.") {
      [unowned self] data, arguments in
      let seed = try arguments.optionalInt(1).map { UInt64(bitPattern: Int64($0)) } ?? options.seed
      return [.object(DataObject(try data.data.sampled(try arguments.int(0), seed: seed)))]
    }
    // local fit, check = data:split(0.9)
    data.method("split", "(share: number, seed?: integer): Data, Data", "Two parts, shuffled.") {
      [unowned self] data, arguments in
      let seed = try arguments.optionalInt(1).map { UInt64(bitPattern: Int64($0)) } ?? options.seed
      let (first, second) = try data.data.split(try arguments.number(0), seed: seed)
      return [.object(DataObject(first)), .object(DataObject(second))]
    }
    // The samples first..last as a tensor, and their classes as a list: as argmax counts them.
    data.method(
      "batch", "(first: integer, last: integer): Tensor, integer[]",
      "Samples as a tensor, and their classes, which count from 1 as argmax does."
    ) { [unowned self] data, arguments in
      let first = try arguments.int(0), last = try arguments.int(1)
      guard first >= 1, last >= first, last <= data.data.count else {
        throw CompressError("samples \(first) to \(last) are not within 1 to \(data.data.count)")
      }
      let bytes = (last - first + 1).multipliedReportingOverflow(by: data.data.sampleShape.count * 4)
      try state.reserveNative(bytes: bytes.overflow ? .max : bytes.partialValue)
      let batch = try data.data.batch(first - 1..<last)
      return [
        .object(TensorObject(batch.images)), .table(try state.makeTable(batch.labels.map { .integer(Int($0) + 1) })),
      ]
    }
    data.operation(.length, "integer") { .integer(try $0.object(0, DataObject.self).data.count) }
    data.method(
      "unlabelled", "(): Data", "The same samples without their labels: what is judged on them is judged by outputs."
    ) { data, arguments in
      try arguments.atMost(0)
      return [.object(DataObject(data.data.unlabelled))]
    }
    data.method("with", "(options: ImageOptions): Data", "The same samples as other images.") {
      [unowned self] data, arguments in
      try arguments.atMost(1)
      let given = try ImageKeys.schema.read(try arguments.table(0))
      return [.object(DataObject(try data.data.converted(try imageOptions(given))))]
    }
    data.method(
      "augment", "(options: AugmentOptions): Data", "The same samples, changed at random in each epoch of a training."
    ) { [unowned self] data, arguments in
      try arguments.atMost(1)
      let given = try AugmentKeys.schema.read(try arguments.table(0))
      return [.object(DataObject(try data.data.augmented(augmentation(given))))]
    }
    state.define(data)
    definePairs()
  }

  private func definePairs() {
    let pair = LuaClass<DataPairObject>("Dataset")
    pair.property("train", "Data", "samples to learn from") { .object($0.train) }
    pair.property("test", "Data", "samples to test with") { .object($0.test) }
    // dataset "cifar10" { normalize = "cifar10" }
    pair.operation(.call, "(options?: DatasetOptions): Dataset") { [unowned self] arguments in
      let plain = try arguments.object(0, DataPairObject.self)
      guard arguments.count <= 2, let name = plain.name else {
        throw CompressError("dataset takes a name and one table of options")
      }
      opened.removeAll { $0 === plain }
      return .object(try open(name, try arguments.optionalTable(1)))
    }
    state.define(pair)

    state.define(
      "dataset",
      "(name: \(DatasetCatalog.names.map { "\"\($0)\"" }.joined(separator: "|")), options?: DatasetOptions): Dataset",
      "A data set by its name."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      return [.object(try open(try arguments.string(0), try arguments.optionalTable(1)))]
    }
  }

  private func open(_ name: String, _ table: LuaTable?) throws -> DataPairObject {
    let given = try DatasetKeys.schema.read(table)
    var options = DatasetCatalog.Options()
    options.images = try imageOptions(given)
    options.labels = given[DatasetKeys.labels]
    options.memory = dataMemory
    if FolderKeys.all.contains(where: given.has) { options.folders = try folderOptions(given) }
    let opened = try DatasetCatalog.open(name, roots: DatasetCatalog.roots(data: self.options.data), options: options)
    for half in [opened.train, opened.test] { watch(half) }
    // Options are given once.
    let pair = DataPairObject(opened, name: table == nil ? name : nil)
    self.opened.append(pair)
    return pair
  }
}
