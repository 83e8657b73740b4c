import CKernels
import Kernels

extension PreparedStep {
  /// The same float32 values at another place.
  static func copy(count: Int) -> PreparedStep {
    PreparedStep("copy", ck_copy(bytes: count * MemoryLayout<Float>.stride), run: ck_run_copy)
  }

  /// The same values for every sample.
  static func constant(_ values: [Float]) -> PreparedStep {
    PreparedStep(
      "constant", ck_copy(bytes: values.count * MemoryLayout<Float>.stride), constants: OwnedMemory(values),
      run: ck_run_constant)
  }
}
