import Tensors

/// Draws one digit as a person might: a skeleton, bent and moved, gone over with a pen, and scanned with flaws.
///
/// Only additions, products, quotients and square roots take part, so the pixels are the same on every machine.
struct DigitDrawing {
  static let side = 28

  private var random: SeededRandom
  private var ink = [Float](repeating: 0, count: side * side)

  /// The pixels of `digit`, row by row; `random` decides on everything else.
  static func pixels(of digit: Int, using random: SeededRandom) -> [UInt8] {
    var drawing = DigitDrawing(random: random)
    drawing.draw(digit)
    return drawing.scanned()
  }

  private init(random: SeededRandom) { self.random = random }

  // MARK: The hand

  private mutating func draw(_ digit: Int) {
    let skeletons = DigitShapes.skeletons[digit]
    let place = placement()
    let bend = bending()
    let jitter: Float = 0.03
    let radius = uniform(0.8, 1.9), softness = uniform(0.5, 1.1)
    for stroke in skeletons[random.below(skeletons.count)] {
      let points = stroke.map { $0 + DigitPoint(bell(jitter), bell(jitter)) }
      let curve = Self.smooth(points).map { place.apply($0 + bend.at($0)) }
      go(over: curve, from: radius * uniform(0.8, 1.15), to: radius * uniform(0.7, 1.1), softness: softness)
    }
    if random.uniform() < 0.2 { eraseSpot(radius) }
    if random.uniform() < 0.25 { addScratch(radius) }
  }

  /// From the unit box to pixels: size, slant, a small turn, and where on the sheet.
  private struct Placement {
    let xx, xy, yx, yy: Float
    let center: DigitPoint

    func apply(_ p: DigitPoint) -> DigitPoint {
      let x = p.x - 0.5, y = p.y - 0.5
      return DigitPoint(center.x + xx * x + xy * y, center.y + yx * x + yy * y)
    }
  }

  private mutating func placement() -> Placement {
    let height = uniform(17, 22), width = height * uniform(0.65, 0.95)
    let slant = bell(0.18)
    // A turn by the angle whose half has the tangent h: no sine is needed.
    let h = bell(0.06)
    let cosine = (1 - h * h) / (1 + h * h), sine = 2 * h / (1 + h * h)
    let middle = Float(Self.side) / 2 - 0.5
    return Placement(
      xx: cosine * width, xy: -cosine * slant * height - sine * height,
      yx: sine * width, yy: cosine * height - sine * slant * height,
      center: DigitPoint(middle + uniform(-1, 1), middle + uniform(-1, 1)))
  }

  /// An elastic distortion: random shifts at the knots of a 4x4 grid, interpolated between them.
  private struct Bending {
    static let knots = 4
    let shifts: [DigitPoint]

    func at(_ p: DigitPoint) -> DigitPoint {
      let last = Float(Self.knots - 1)
      let x = min(max(p.x, 0), 0.999) * last, y = min(max(p.y, 0), 0.999) * last
      let column = Int(x), row = Int(y), corner = row * Self.knots + column
      let u = x - Float(column), v = y - Float(row)
      let top = shifts[corner] * (1 - u) + shifts[corner + 1] * u
      let bottom = shifts[corner + Self.knots] * (1 - u) + shifts[corner + Self.knots + 1] * u
      return top * (1 - v) + bottom * v
    }
  }

  private mutating func bending() -> Bending {
    Bending(shifts: (0..<(Bending.knots * Bending.knots)).map { _ in DigitPoint(bell(0.045), bell(0.045)) })
  }

  /// The Catmull-Rom curve through the points, as a chain of short lines.
  private static func smooth(_ points: [DigitPoint]) -> [DigitPoint] {
    guard points.count > 2 else { return points }
    var curve = [points[0]]
    for i in 0..<(points.count - 1) {
      let a = points[max(i - 1, 0)], b = points[i], c = points[i + 1], d = points[min(i + 2, points.count - 1)]
      let steps = 4
      for step in 1...steps {
        let t = Float(step) / Float(steps)
        let cubic = (b - c) * 3 + d - a, square = a * 2 - b * 5 + c * 4 - d
        curve.append(b + (c - a + (square + cubic * t) * t) * (t * 0.5))
      }
    }
    return curve
  }

  // MARK: The pen

  /// Lays ink along a chain of lines; the pen's radius goes from `first` to `last`, and the ink fades over `softness`.
  private mutating func go(over curve: [DigitPoint], from first: Float, to last: Float, softness: Float) {
    for i in 1..<curve.count {
      let progress = Float(i) / Float(curve.count - 1)
      line(curve[i - 1], curve[i], radius: first + (last - first) * progress, softness: softness)
    }
  }

  private mutating func line(_ a: DigitPoint, _ b: DigitPoint, radius: Float, softness: Float) {
    let reach = radius + softness
    let columns = Self.pixels(min(a.x, b.x) - reach, max(a.x, b.x) + reach)
    let along = b - a
    let square = max(along.x * along.x + along.y * along.y, 1e-6)
    for row in Self.pixels(min(a.y, b.y) - reach, max(a.y, b.y) + reach) {
      let dy = Float(row) - a.y
      for column in columns {
        let dx = Float(column) - a.x
        let t = min(max((dx * along.x + dy * along.y) / square, 0), 1)
        let x = dx - t * along.x, y = dy - t * along.y
        let distance = (x * x + y * y).squareRoot()
        let strength = min(max((reach - distance) / (2 * softness), 0), 1)
        let pixel = row * Self.side + column
        ink[pixel] = max(ink[pixel], strength)
      }
    }
  }

  /// The pixels whose centres lie between the two coordinates.
  private static func pixels(_ low: Float, _ high: Float) -> Range<Int> {
    let first = Int(min(max(low.rounded(.up), 0), Float(side)))
    let last = Int(min(max(high.rounded(.down) + 1, 0), Float(side)))
    return first..<max(first, last)
  }

  // MARK: The flaws

  /// A spot where the pen did not write.
  private mutating func eraseSpot(_ radius: Float) {
    let x = uniform(8, 20), y = uniform(6, 22), size = radius * uniform(0.8, 1.4)
    for row in Self.pixels(y - size, y + size) {
      for column in Self.pixels(x - size, x + size) {
        let dx = Float(column) - x, dy = Float(row) - y
        if dx * dx + dy * dy < size * size { ink[row * Self.side + column] *= 0.1 }
      }
    }
  }

  /// A short stroke that does not belong to the digit.
  private mutating func addScratch(_ radius: Float) {
    let start = DigitPoint(uniform(1, 27), uniform(1, 27))
    let end = start + DigitPoint(uniform(-6, 6), uniform(-6, 6))
    line(start, end, radius: radius * 0.6, softness: 0.7)
  }

  /// Ink as grey levels: not all pens are black, not all paper is white.
  private mutating func scanned() -> [UInt8] {
    let darkness = uniform(0.7, 1), grain = uniform(0, 0.08)
    var bits: UInt64 = 0
    return ink.indices.map { pixel in
      bits = pixel % 8 == 0 ? random.next() : bits >> 8
      let noise = (Float(bits & 0xFF) / 255 - 0.5) * 2
      let level = ink[pixel] * darkness + noise * grain
      return UInt8((min(max(level, 0), 1) * 255).rounded())
    }
  }

  // MARK: Chance

  private mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * Float(random.uniform()) }

  /// Nearly normal, never beyond 3.5 deviations: the sum of four uniform numbers.
  private mutating func bell(_ deviation: Float) -> Float {
    let sum = random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2
    return deviation * Float(sum * 3.0.squareRoot())
  }
}
