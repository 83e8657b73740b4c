import Diagnostics
import Testing

@testable import LuaHost

@Suite struct ObjectTests {
  @Test func methodsPropertiesAndOperators() throws {
    let state = stateWithThings(Counter())
    #expect(
      try state.text(
        "local t = thing(3) return t.value, t:plus(4).value, (t + 1).value, (1 + t).value, (t + t).value, t[5]")
        == "3 7 4 4 6 15")
    #expect(try state.text("return tostring(thing(2)), type(thing(2))") == "Thing 2 userdata")
  }

  @Test func unknownMembersSuggestTheNearest() throws {
    let state = stateWithThings(Counter())
    #expect(
      state.failure("return thing(1).valeu")?.message
        == "a Thing has no method or property \"valeu\" (did you mean \"value\"?)")
    #expect(state.failure("thing(1):frobnicate()")?.message.contains("(there are: close, plus, same, value)") == true)
    #expect(state.failure("return thing(1)[{}]")?.message == "a Thing cannot be indexed with a table")
    #expect(state.failure("\nreturn thing(1).valeu")?.line == 2)
  }

  @Test func wrongReceiversAreErrors() throws {
    let counter = Counter()
    let state = stateWithThings(counter)
    final class Other {}
    let other = LuaClass<Other>("Other")
    other.method("go") { _, _ in [] }
    state.define(other)
    state.define("other") { _ in [.object(Other())] }
    for receiver in ["other()", "{}", "nil", "1", "'x'", "print", ""] {
      let error = try #require(state.failure("thing(1).plus(\(receiver))"))
      #expect(error.message.hasPrefix("Thing:plus was called on"))
      #expect(error.message.hasSuffix("not on a Thing"))
    }
    #expect(state.failure("other().go(thing(1))")?.message == "Other:go was called on a Thing, not on an Other")
    #expect(state.failure("return thing(1) + {}")?.message == "Thing add: argument 2 must be a Thing, got a table")
    #expect(state.failure("return thing(1) < thing(2)")?.message.contains("compare") == true)
  }

  @Test func oneObjectIsOneUserdata() throws {
    let counter = Counter()
    let state = stateWithThings(counter)
    let thing = Thing(1, counter)
    try state.define("it", value: .object(thing))
    state.define("again") { _ in [.object(thing)] }
    #expect(
      try state.text("local seen = {[it] = 'seen'} return it == again(), seen[again()], it:same(again())")
        == "true seen true")
    #expect(try state.run("return it")[0].object(Thing.self) === thing)
  }

  @Test func objectsAreReleasedOnce() throws {
    let counter = Counter()
    do {
      let state = stateWithThings(counter)
      try state.run("for i = 1, 100 do local t = thing(i):plus(1) end")
      state.collectGarbage()
      #expect(counter.alive == 0)
      #expect(counter.released == 200)
      try state.run("local kept = thing(1)", name: "kept.lua")
      _ = try state.run("all = {thing(1), thing(2)} return all")
      let outside = try state.run("return thing(9)")[0].object(Thing.self)
      state.collectGarbage()
      #expect(outside?.value == 9)
      #expect(counter.alive >= 1)
    }
    #expect(counter.alive == 0)
    #expect(counter.released == 204)
  }

  @Test func closedObjectsAreErrors() throws {
    let counter = Counter()
    let state = stateWithThings(counter, bytes: 100)
    #expect(
      state.failure("local t = thing(1) t:close() return t.value")?.message == "Thing.value: this Thing has been closed"
    )
    #expect(state.failure("local t = thing(1) t:close() t:close()") == nil)
    #expect(
      state.failure("local t = thing(1) t:close() thing(2):same(t)")?.message
        == "Thing:same: argument 1 must be a Thing, got a Thing that has been closed")
    #expect(
      state.failure("local t do local u <close> = thing(1) t = u end t:plus(1)")?.message
        == "Thing:plus: this Thing has been closed")
    state.collectGarbage()
    #expect(counter.alive == 0)
    #expect(state.nativeBytes == 0)
  }

  @Test func objectsOfUnknownClassesAreRefused() throws {
    final class Unknown {}
    let state = LuaState.forTests()
    state.define("f") { _ in [.object(Unknown())] }
    #expect(state.failure("f()")?.message == "objects of Unknown cannot be handed to a script")
  }

  @Test func subclassesAreTheirParents() throws {
    class Parent { var name: String { "parent" } }
    final class Child: Parent { override var name: String { "child" } }
    let state = LuaState.forTests()
    let parents = LuaClass<Parent>("Parent")
    parents.property("name") { .string($0.name) }
    state.define(parents)
    state.define("child") { _ in [.object(Child())] }
    #expect(try state.text("return child().name") == "child")
  }

  @Test func functionsAndWhatTheyCaptureAreReleased() throws {
    let counter = Counter()
    let state = LuaState.forTests()
    state.define("make") { _ in
      let thing = Thing(5, counter)
      return [arguments(thing)]
      func arguments(_ thing: Thing) -> LuaValue { state.function("get") { _ in [.integer(thing.value)] } }
    }
    #expect(try state.text("return make()()") == "5")
    state.collectGarbage()
    #expect(counter.alive == 0)
  }

  @Test func referencesAreGivenBack() throws {
    let state = LuaState.forTests()
    state.define("look") { arguments in [.integer(try arguments.table(0).count)] }
    try state.run("for i = 1, 10 do look({1, 2}) end")
    state.collectGarbage()
    let before = state.memoryBytes
    try state.run("for i = 1, 10000 do look({1, 2}) end")
    state.collectGarbage()
    #expect(state.memoryBytes < before + 8192)
  }

  @Test func referencesOutliveTheirState() throws {
    var state: LuaState? = LuaState.forTests()
    let table = try #require(try state?.run("return {a = 1}")[0].table)
    let function = try #require(try state?.run("return function() end")[0].function)
    state = nil
    #expect(table["a"].isNil)
    #expect(table.pairs.isEmpty)
    #expect(throws: CompressError("the Lua state of this function is closed")) { try function.call() }
    #expect(throws: CompressError.self) { try table.set("a", 2) }
    let other = LuaState.forTests()
    #expect(throws: CompressError("this function belongs to another Lua state")) { try other.call(function) }
  }
}
