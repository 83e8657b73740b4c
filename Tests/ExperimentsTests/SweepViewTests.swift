import Foundation
import Reports
import Testing

@testable import Experiments

@Suite struct SweepViewTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func definition(_ count: Int) -> SweepDefinition {
    SweepDefinition(
      script: "/p/lab.lua", scriptDigest: "", axes: ["a"], fixed: [],
      points: (1...count).map {
        SweepDefinition.Point(number: $0, settings: [SweepDefinition.Setting(name: "a", value: "\($0)")], seed: 0)
      },
      run: SweepDefinition.Run(
        data: nil, plugins: [], limits: .init(), dataMemory: 1, usesCache: true, keepsModels: true), threads: 1)
  }

  @Test func theDrawingTellsHowFarItIs() throws {
    var time = Date(timeIntervalSince1970: 0)
    let sweep = SweepFolder(folder.path)
    let view = SweepView(
      sweep, jobs: 2, terminal: Terminal(.errors, isInteractive: false, hasColor: false), now: { time })
    let definition = definition(5), points = definition.points
    view.begin(definition, points: points)
    for point in points.prefix(2) { view.started(point) }
    #expect(view.drawing[0].contains("lab.lua") && view.drawing[0].contains("0 of 5 points, 2 running"))
    #expect(!view.drawing[0].contains("left"))
    time += 10
    view.ended(points[0], sampleRun(1, accuracy: 0.95))
    var failed = sampleRun(2)
    failed.status = .failed
    failed.variants = []
    view.ended(points[1], failed)
    view.started(points[2])
    let log = sweep.logPath(of: 3)
    try FileManager.default.createDirectory(atPath: sweep.folder(of: 3), withIntermediateDirectories: true)
    try Data("first\n✓ train lab\u{1B}[31m\n".utf8).write(to: URL(fileURLWithPath: log))
    time += 2
    let drawing = view.drawing
    #expect(drawing[0].contains("2 of 5 points, 1 running, 1 failed"))
    // Three points of ten seconds by two workers.
    #expect(drawing[0].contains("0:15 left"))
    #expect(drawing[1].contains("best: 1 a=1 seed=0  pruned 95.00 %"))
    #expect(drawing[2].contains("▸ 3 a=3 seed=0  0:02  ✓ train lab"))
    #expect(!drawing[2].contains("\u{1B}"))
  }

  @Test func theTableIsTheSameWhateverTheTimes() {
    let definition = definition(2)
    var slow = sampleRun(2), failed = sampleRun(1)
    failed.status = .failed
    failed.error = "no, \"not\" this"
    failed.variants = []
    let first = SweepTable(definition, [2: slow, 1: failed]).csv
    slow.seconds = 99
    let second = SweepTable(definition, [1: failed, 2: slow]).csv
    func withoutTimes(_ csv: String) -> [String] {
      csv.split(separator: "\n").map { line in
        line.split(separator: ",", omittingEmptySubsequences: false).dropLast(6).joined(separator: ",")
      }
    }
    #expect(first != second)
    #expect(withoutTimes(first) == withoutTimes(second))
    #expect(first.hasPrefix("point,deep,sparsity,strategy,seed,status,error,variant,accuracy,agreement,flips,"))
    #expect(first.contains("\n1,false,0.8,local,1,failed,\"no, \"\"not\"\" this\",,"))
    #expect(first.split(separator: "\n").count == 4)
  }
}
