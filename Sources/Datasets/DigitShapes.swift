/// A point of the unit box a digit is drawn in: x to the right, y downwards.
struct DigitPoint {
  var x: Float
  var y: Float

  init(_ x: Float, _ y: Float) {
    self.x = x
    self.y = y
  }

  static func + (a: DigitPoint, b: DigitPoint) -> DigitPoint { DigitPoint(a.x + b.x, a.y + b.y) }
  static func - (a: DigitPoint, b: DigitPoint) -> DigitPoint { DigitPoint(a.x - b.x, a.y - b.y) }
  static func * (a: DigitPoint, s: Float) -> DigitPoint { DigitPoint(a.x * s, a.y * s) }
}

/// The ways in which people write the ten digits: for each, several skeletons; each a list of strokes; each the
/// points a smooth curve passes through. A corner ends one stroke and starts the next.
enum DigitShapes {
  typealias Stroke = [DigitPoint]

  static let skeletons: [[[Stroke]]] = texts.map { $0.map(parse) }

  /// Strokes are set apart by "/"; numbers are hundredths, x and y in turn.
  private static let texts: [[String]] = [
    // 0: round; narrow, closing with an overlap at the top
    [
      "50 5 24 20 12 52 26 85 50 95 76 84 88 50 76 17 50 5",
      "62 12 40 5 20 30 16 64 36 94 64 92 84 62 80 26 58 6 40 12",
    ],
    // 1: a stroke; with a flag; with flag and foot
    [
      "52 4 50 50 49 96",
      "30 27 44 16 54 5 / 54 5 52 50 51 96",
      "32 24 45 14 53 5 / 53 5 52 50 52 94 / 30 95 52 94 74 94",
    ],
    // 2: with a corner; with a loop at the foot
    [
      "17 28 30 9 58 5 79 22 70 48 42 74 15 94 / 15 94 50 92 87 93",
      "20 24 40 6 68 9 78 30 62 56 38 82 20 91 15 80 28 74 50 86 70 93 88 86",
    ],
    // 3: two bows; a flat top
    [
      "19 17 44 5 73 14 74 34 44 47 / 44 47 74 56 82 76 62 93 34 95 14 82",
      "20 8 50 8 79 7 / 79 7 62 25 44 42 / 44 42 72 48 84 70 68 92 38 95 15 84",
    ],
    // 4: open; closed, with the stem from the top
    [
      "27 8 21 32 17 55 / 17 55 50 57 85 53 / 72 10 69 50 66 96",
      "66 5 40 32 12 63 / 12 63 50 64 89 62 / 66 5 66 50 64 96",
    ],
    // 5: in one go; with the bar set apart
    [
      "80 7 55 9 29 9 / 29 9 25 28 22 45 / 22 45 48 38 76 51 81 73 62 92 34 95 14 84",
      "30 12 26 30 24 46 / 24 46 52 40 78 56 76 82 48 96 18 88 / 30 10 56 8 84 6",
    ],
    // 6: a bent back; a straight one
    [
      "72 7 44 20 23 48 19 74 38 94 66 91 79 72 66 55 42 55 24 70",
      "58 4 38 34 24 66 32 90 54 96 75 84 74 64 54 56 34 64 25 76",
    ],
    // 7: plain; with a cross bar; with a serif
    [
      "14 12 50 10 85 10 / 85 10 62 46 42 96",
      "15 10 50 11 84 8 / 84 8 62 45 46 96 / 32 52 52 50 74 48",
      "16 24 16 10 / 16 10 50 10 84 10 / 84 10 66 50 56 96",
    ],
    // 8: one crossing stroke; two rings
    [
      "72 19 52 5 27 17 36 38 64 56 78 76 58 95 32 91 22 72 40 52 66 36 72 19",
      "50 5 27 16 32 40 52 48 72 36 72 14 50 5 / 52 48 24 62 24 86 50 96 78 84 76 60 52 48",
    ],
    // 9: a straight stem; a bent tail
    [
      "77 26 58 6 30 13 20 34 36 50 62 44 77 26 / 77 26 75 58 68 96",
      "74 22 52 5 26 16 22 40 44 52 68 42 76 22 / 76 22 78 56 66 84 44 96 22 88",
    ],
  ]

  private static func parse(_ text: String) -> [Stroke] {
    text.split(separator: "/").map { stroke in
      let numbers = stroke.split(separator: " ").compactMap { Float($0) }
      return stride(from: 0, to: numbers.count - 1, by: 2).map { DigitPoint(numbers[$0] / 100, numbers[$0 + 1] / 100) }
    }
  }
}
