import Diagnostics

/// A share in tenths, from 0 to 10: how strong the colour of a number is, on the terminal and in the report.
struct Tenths {
  let count: Int

  init(_ share: Double) { count = Int(saturating: (min(max(share.isFinite ? share : 0, 0), 1) * 10).rounded()) }

  /// What is lost of something.
  init(lost: Double, of whole: Double) { self.init(lost / max(whole, 1e-9)) }
}
