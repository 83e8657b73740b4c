import Diagnostics
import Foundation
import Kernels
import Pipeline
import Testing

@testable import Scripting

/// What `compress repl` answers.
@Suite struct ConversationTests {
  private final class Answers { var lines: [String] = [] }

  private let folder: ScriptFolder
  private let answers = Answers()
  private let notes = NoteCollector()
  private let conversation: Conversation

  init() throws {
    folder = try ScriptFolder()
    var options = ScriptSession.Options(script: folder.path + "/line.lua")
    options.plugins = [sourceRoot + "/plugins"]
    let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1), progress: notes), store: nil)
    conversation = try Conversation(options, executor: executor, print: { [answers] in answers.lines.append($0) })
  }

  private func say(_ text: String) throws -> String {
    answers.lines = []
    guard case .done = try conversation.say(text) else { return "…" }
    return answers.lines.joined(separator: "\n")
  }

  @Test func valuesArePrintedAndVariablesStay() throws {
    #expect(try say("1 + 1") == "2")
    #expect(try say("local t = tensor.of {{1, 2}, {3, 4}}") == "")
    #expect(try say("t:shape()") == "{2, 2}")
    #expect(try say("t.rank, t:sum()").hasPrefix("2\t"))
    #expect(try say("local function double(x) return 2 * x end") == "")
    #expect(try say("double(21)") == "42")
    #expect(try say("   ") == "")
  }

  /// Sizes of what is there; printing trains nothing.
  @Test func modelsTellTheirSizes() throws {
    #expect(try say("zoo.lab_cnn()") == "Model lab_cnn: 20,410 parameters, 82,668 B, 93.3 k MACs")
    _ = try say("m = train(zoo.lab_cnn(), { data = dataset('digits').train:take(32) })")
    #expect(try say("m") == "Model lab_cnn, not computed yet")
    _ = try say("bytes = m:cost().bytes")
    let told = try say("m"), bytes = try say("bytes // 1000 .. ',' .. bytes % 1000")
    #expect(told == "Model lab_cnn: 20,410 parameters, \(bytes) B, 93.3 k MACs")
    #expect(try say("tostring(m):find('^Model lab_cnn: ') == 1") == "true")
  }

  @Test func unfinishedTextGoesOn() throws {
    #expect(try say("for i = 1, 3 do") == "…")
    #expect(try say("for i = 1, 3 do\n  print(i)\nend") == "1\n2\n3")
    #expect(throws: CompressError.self) { try say("x = = 1") }
    #expect(throws: CompressError.self) { try say("nonsense()") }
    #expect(try say("'still here'") == "still here")
  }

  @Test func modelsAreComputedWhenAsked() throws {
    _ = try say("d = dataset 'digits'; m = train(zoo.lab_cnn(), { data = d.train:take(200) })")
    let accuracy = try #require(Double(try say("evaluate(m, d.test:take(100)).accuracy")))
    #expect((0...1).contains(accuracy))
    _ = try say("compare { on = d.test:take(20), images = 5, { 'm', m } }")
    #expect(notes.notes.contains { $0.contains("compare is measured when a script has ended") }, "\(notes.notes)")
  }

  @Test func namesAreCompleted() throws {
    #expect(conversation.completions(of: "quant").contains("quantize"))
    #expect(conversation.completions(of: "tensor.ze") == ["tensor.zeros"])
    _ = try say("my_tensor = tensor.of {1, 2}")
    #expect(conversation.completions(of: "my_") == ["my_tensor"])
    #expect(conversation.completions(of: "my_tensor:resh") == ["my_tensor:reshape"])
    #expect(conversation.completions(of: "my_tensor.ra") == ["my_tensor.rank"])
    #expect(conversation.completions(of: "nobody:x") == [])
  }
}
