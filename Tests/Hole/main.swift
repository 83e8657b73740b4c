// A program with the hole on purpose: a script in it calls native code of an attacker's. What the wall is worth shows
// in what that code comes to.
//
//   hole confined|open INSIDE OUTSIDE VICTIM   prints a line for each attack: its name, a tab, 0 or an errno
//   hole limits INSIDE                         the same for memory and files beyond their limits
//   hole threads INSIDE                        confines itself too late
//   hole started NUMBER                        what its broker may start

import CConfinement
import Confinement
import Diagnostics
import Foundation
import HoleAttacks
import LuaHost
import Synchronization

struct Generator: RandomNumberGenerator {
  mutating func next() -> UInt64 { 4 }
}

/// At once: an attack may end the process.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

/// A state in which `native(name)` is what a script should never come to: native code of its choice.
func opened(_ natives: [String: () -> Int32]) -> LuaState {
  let state = LuaState(limits: LuaLimits(), seed: 1, random: { _ in Generator() }, print: { say($0) })
  state.define("native") { arguments in
    [.integer(Int(natives[try arguments.string(0)]?() ?? -1))]
  }
  return state
}

func attempt(_ names: [String], _ natives: [String: () -> Int32]) throws {
  let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
  let state = opened(natives)
  let source = "for _, name in ipairs { \(list) } do print(name .. \"\\t\" .. native(name)) end"
  _ = try state.call(try state.load(source, name: "attack.lua"))
}

func attackAll(confined: Bool, inside: String, outside: String, victim: Int32) throws {
  let program = try Broker.add([ArgumentForm("started"), .digits])
  // Without the seal the broker still learns, so that the attack on it succeeds there.
  if confined {
    try Broker.seal()
    try Rights(readable: [], writable: [inside]).confine()
  }
  let inside = strdup(inside)!, outside = strdup(outside)!
  let surroundings = attack_surroundings(inside: inside, outside: outside, victim: victim, broker: Broker.process)
  var count = 0
  let first = attack_list(&count), all = Array(UnsafeBufferPointer(start: first, count: count))
  var natives: [String: () -> Int32] = [:]
  for attack in all {
    natives[String(cString: attack.name)] = { withUnsafePointer(to: surroundings) { attack.run($0) } }
  }
  // What must go on as before: files inside, threads, the program that the broker knows.
  natives["own files"] = {
    let path = String(cString: inside) + "/made"
    guard FileManager.default.createFile(atPath: path, contents: Data([1])) else { return EIO }
    return rename(path, path + "2") == 0 && unlink(path + "2") == 0 ? 0 : errno
  }
  natives["own threads"] = {
    let done = DispatchSemaphore(value: 0)
    let state = Mutex<Int32>(-1)
    Thread.detachNewThread {
      state.withLock { $0 = own_thread_state() }
      done.signal()
    }
    return done.wait(timeout: .now() + 5) == .success ? state.withLock { $0 } : ETIMEDOUT
  }
  natives["known program"] = {
    guard let said = try? program.output(["12"]) else { return EIO }
    return said.status == 0 && said.output == "started 12\n" ? 0 : EINVAL
  }
  try attempt(all.map { String(cString: $0.name) } + ["own files", "own threads", "known program"], natives)
}

func limits(inside: String) throws {
  var rights = Rights(writable: [inside], memoryBytes: 512 << 20)
  rights.fileBytes = 1 << 20
  try rights.confine()
  try attempt(
    ["memory", "file", "less memory", "smaller file"],
    [
      "memory": { fits(bytes: 600 << 20) ? 0 : ENOMEM }, "less memory": { fits(bytes: 100 << 20) ? 0 : ENOMEM },
      "file": { write(bytes: 2 << 20, to: inside + "/large") },
      "smaller file": { write(bytes: 1 << 19, to: inside + "/small") },
    ])
}

func fits(bytes: Int) -> Bool {
  // Not malloc: what is freed unused the compiler leaves out.
  let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  defer { if memory != MAP_FAILED { munmap(memory, bytes) } }
  return memory != MAP_FAILED
}

func write(bytes: Int, to path: String) -> Int32 {
  let file = open(path, O_WRONLY | O_CREAT, 0o666)
  defer { close(file) }
  return pwrite(file, [UInt8(1)], 1, off_t(bytes - 1)) == 1 ? 0 : errno
}

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "confined", "open":
  try Broker.begin()
  try attackAll(
    confined: arguments[1] == "confined", inside: arguments[2], outside: arguments[3], victim: Int32(arguments[4])!)
  Broker.end()
case "limits": try limits(inside: arguments[2])
case "threads":
  Thread.detachNewThread { sleep(60) }
  do { try Rights(writable: [arguments[2]]).confine() } catch { say("\(error)") }
case "started": say("started \(arguments[2])")
default: exit(64)
}
