import Analysis
import Foundation
import Pipeline

extension ReportPage {
  /// How well each variant tells each class: classes down, variants across.
  struct ClassMatrix {
    let classHeads: [Head]
    let classRows: [Row]
    /// What was left out; empty where nothing was.
    let classNote: String

    struct Head { let classSeries, classHead: String }

    struct Row {
      let className, classSamples: String
      let classCells: [Cell]
    }

    struct Cell { let classOwner, classAccuracy, classChange: String }

    /// Of more classes those that differ most between variants.
    private static let mostRows = 100

    init(_ results: ResultsFile) {
      let variants = results.variants.enumerated().filter { $1.classes != nil }
      let first = variants.first?.element.classes
      classHeads = variants.map { Head(classSeries: series($0), classHead: shown($1.name)) }
      func accuracy(_ variant: ResultsFile.Variant, _ place: Int) -> Double? {
        guard let classes = variant.classes?.classes, classes.indices.contains(place) else { return nil }
        return classes[place].accuracy
      }
      let places = (first?.classes ?? []).indices.filter { place in
        first?.classes[place].samples ?? 0 > 0
      }
      func spread(_ place: Int) -> Double {
        let values = variants.compactMap { accuracy($0.element, place) }
        return (values.max() ?? 0) - (values.min() ?? 0)
      }
      let kept = Set(places.sorted { (spread($1), $0) < (spread($0), $1) }.prefix(Self.mostRows))
      classNote =
        kept.count < places.count
        ? "Shown are the \(kept.count) of \(Formatting.count(places.count)) classes in which variants differ most." : ""
      classRows = places.filter(kept.contains).map { place in
        Row(
          className: shown(first?.name(place) ?? ""),
          classSamples: Formatting.count(first?.classes[place].samples ?? 0),
          classCells: variants.enumerated().map { number, entry in
            let own = accuracy(entry.element, place)
            let change =
              number == 0 ? nil : own.flatMap { own in accuracy(variants[0].element, place).map { own - $0 } }
            return Cell(
              classOwner: shown(entry.element.name),
              classAccuracy: own.map { Formatting.percent($0, digits: 1) } ?? "–",
              classChange: change.map { Formatting.points($0) } ?? "")
          })
      }
    }
  }

  /// What one variant takes for what.
  struct ClassSection {
    let classesOwner, classesSeries: String
    let hasMatrix: Bool
    let matrixHeads: [String]
    let matrixRows: [MatrixRow]
    let hasPairs: Bool
    let pairs: [Pair]
    let hasMistakes: Bool
    let mistakes: [Shown]

    struct MatrixRow {
      let matrixName: String
      let matrixCells: [Shaded]
    }

    struct Pair { let pairActual, pairPredicted, pairCount, pairShare: String }

    struct Shown {
      let mistakeLabel, mistakePredicted, mistakePlace, confidence: String
      /// One, or none where samples are no pictures.
      let pictures: [String]
    }

    /// Classes that a matrix has room for; of more, pairs are listed, so many.
    private static let mostClasses = 20, mostPairs = 20

    /// nil where nobody knows the classes.
    init?(_ variant: ResultsFile.Variant, _ index: Int) {
      guard let results = variant.classes else { return nil }
      self.init(results, variant.mistakes ?? [], named: variant.name, series: ReportPage.series(index))
    }

    init(
      _ results: ClassResults, _ found: [Mistake], named name: String, series: String, mostMistakes: Int = Mistake.shown
    ) {
      let classes = results.classes
      classesOwner = shown(name)
      classesSeries = series
      hasMatrix = classes.count <= Self.mostClasses
      matrixHeads = hasMatrix ? classes.map { shown($0.name) } : []
      var counts: [Int: Int] = [:]
      for pair in results.confusions { counts[pair.actual * classes.count + pair.predicted] = pair.count }
      matrixRows =
        hasMatrix
        ? classes.enumerated().map { actual, row in
          MatrixRow(
            matrixName: shown(row.name),
            matrixCells: classes.indices.map { predicted in
              guard predicted != actual else {
                return Shaded(Formatting.count(row.correct), Tenths(0))
              }
              let count = counts[actual * classes.count + predicted] ?? 0
              // Ten times the share: a tenth of a class taken for another is much.
              return Shaded(
                count == 0 ? "" : Formatting.count(count),
                Tenths(min(1, Double(count) * 10 / Double(max(row.samples, 1)))))
            })
        } : []
      pairs =
        hasMatrix
        ? []
        : results.confusions.prefix(Self.mostPairs).map { pair in
          let samples = classes.indices.contains(pair.actual) ? classes[pair.actual].samples : 0
          return Pair(
            pairActual: shown(results.name(pair.actual)), pairPredicted: shown(results.name(pair.predicted)),
            pairCount: Formatting.count(pair.count),
            pairShare: Formatting.percent(Double(pair.count) / Double(max(samples, 1)), digits: 1))
        }
      hasPairs = !pairs.isEmpty
      mistakes = found.prefix(mostMistakes).map { mistake in
        Shown(
          mistakeLabel: shown(results.name(mistake.label)), mistakePredicted: shown(results.name(mistake.predicted)),
          mistakePlace: Formatting.count(mistake.index + 1),
          confidence: Formatting.percent(mistake.confidence, digits: 0),
          pictures: mistake.picture.map { ["data:image/png;base64," + $0.base64EncodedString()] } ?? [])
      }
      hasMistakes = !mistakes.isEmpty
    }
  }
}
