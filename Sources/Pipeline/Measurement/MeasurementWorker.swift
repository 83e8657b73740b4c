import Analysis
import Diagnostics
import Files
import Formats
import Foundation
import Kernels
import Runtime
import Tensors

/// What a measuring process does: load, compile, time image by image, note the peak memory, then predict
/// what arrives on standard input.
public enum MeasurementWorker {
  /// - Parameter jobFile: a `MeasurementJob` as JSON.
  public static func run(jobFile: String) throws {
    Parent.follow(getppid(), onceClosed: STDIN_FILENO)
    // Ctrl-C reaches the whole group; the parent decides what it means.
    signal(SIGINT, SIG_IGN)
    guard let data = FileManager.default.contents(atPath: jobFile) else {
      throw CompressError("cannot be read", kind: .input).at(file: jobFile)
    }
    guard let job = try? JSONDecoder().decode(MeasurementJob.self, from: data) else {
      throw CompressError("is no measurement job", kind: .input).at(file: jobFile)
    }
    let pool = try ThreadPool(threads: job.threads)
    let timing = job.imageCount > 0 ? try time(job, pool) : nil
    let zerosSaved = job.timesZeros ? try timeZeros(job, pool) : nil
    // That the clock has stopped: others may compute again.
    let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
    dup2(nothing, STDOUT_FILENO)
    close(nothing)
    let report = MeasurementReport(timing: timing, answers: try predict(job, pool), zerosSaved: zerosSaved)
    try AtomicFile.write(CanonicalJSON.encode(report), to: job.report)
  }

  /// How long a turn lasts at least. Slow spells of 10 to 40 ms were seen that come and go by themselves, in which a small
  /// network takes half as long again; a process that times 300 runs of 6 µs was in one altogether, one time in a few.
  /// Neither where things lie in memory (`setarch -R`) nor more warm-up changed how often.
  static let leastSeconds = 0.1

  private static func time(_ job: MeasurementJob, _ pool: ThreadPool) throws -> Timing {
    let session = Session(try compile(ModelFile.read(job.model)), pool: pool)
    let size = session.plan.inputShape.count
    // Read one by one: images that wait in memory would count as the model's.
    guard let file = FileHandle(forReadingAtPath: job.images) else {
      throw CompressError("cannot be read", kind: .input).at(file: job.images)
    }
    var image = [Float](repeating: 0, count: size)
    var scores = [Float](repeating: 0, count: session.plan.outputShape.count)
    let start = MachineCounters()
    let measurement = try image.withUnsafeMutableBufferPointer { image in
      try scores.withUnsafeMutableBufferPointer { scores in
        try LatencyMeasurement(
          runs: job.imageCount, warmUp: job.warmUp, lasting: leastSeconds,
          prepare: { run in
            let bytes = UnsafeMutableRawBufferPointer(image)
            let count = pread(
              file.fileDescriptor, bytes.baseAddress!, bytes.count, off_t((job.firstImage + run) * bytes.count))
            guard count == bytes.count else {
              throw CompressError("image \(job.firstImage + run) is cut short", kind: .input).at(file: job.images)
            }
          }, { _ in session.run(input: UnsafeBufferPointer(image), output: scores) })
      }
    }
    let load = MachineLoad(from: start, to: MachineCounters())
    return Timing(turns: [
      Timing.Turn(
        samples: measurement.samples.map { Double($0) / 1e6 }, peakMemoryBytes: PeakMemory.bytes(), load: load)
    ])
  }

  /// How long zeros are timed for.
  private static let secondsForZeros = 1.0

  private static func timeZeros(_ job: MeasurementJob, _ pool: ThreadPool) throws -> [ZerosSaved] {
    let model = try ModelFile.read(job.model)
    let plans = try [true, false].map { try compile(model, CompileOptions(leavesZerosOut: $0)) }
    guard plans[0].leavesZerosOut else { return [] }
    guard let file = FileHandle(forReadingAtPath: job.images) else {
      throw CompressError("cannot be read", kind: .input).at(file: job.images)
    }
    var image = Tensor(zeros: plans[0].inputShape.batched(1))
    try image.withMutable(Float.self) { image in
      let bytes = UnsafeMutableRawBufferPointer(image)
      guard pread(file.fileDescriptor, bytes.baseAddress!, bytes.count, 0) == bytes.count else {
        throw CompressError("the first image is cut short", kind: .input).at(file: job.images)
      }
    }
    let end = ContinuousClock.now + .seconds(secondsForZeros)
    let sessions = plans.map { Session($0, pool: pool) }
    return StepTimes(sessions, input: image) { $0 < 7 || ($0 < 1000 && ContinuousClock.now < end) }
      .zerosSaved(plans[0], beside: plans[1])
  }

  private static func predict(_ job: MeasurementJob, _ pool: ThreadPool) throws -> Classifier.Answers {
    let classifier = try Classifier(try ModelFile.read(job.model), pool: pool)
    let size = classifier.sampleCount
    var batch = [Float](repeating: 0, count: Classifier.batch * size)
    var answers = Classifier.Answers()
    while answers.predictions.count < job.evaluated {
      let count = min(Classifier.batch, job.evaluated - answers.predictions.count)
      try batch.withUnsafeMutableBytes { bytes in
        let wanted = count * size * 4
        var have = 0
        while have < wanted {
          let more = read(STDIN_FILENO, bytes.baseAddress! + have, wanted - have)
          guard more > 0 else {
            throw CompressError("samples ended after \(answers.predictions.count) of \(job.evaluated)", kind: .input)
          }
          have += more
        }
      }
      batch.withUnsafeBufferPointer { classifier.answer($0, count: count, into: &answers) }
    }
    return answers
  }
}
