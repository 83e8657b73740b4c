import Foundation
import Testing

/// Package.swift says which rooms there are and what each may know of the others; here the sources are held against it.
@Suite struct RoomTests {
  private struct Room {
    let name: String
    let folder: URL
    let dependencies: Set<String>
  }

  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func rooms() throws -> [Room] {
    let package = try String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)
    let declaration = #/\.(?<kind>systemLibrary|target|executableTarget|testTarget)\(\s*name: "(?<name>[-\w]+)"/#
    let starts = package.matches(of: declaration)
    return starts.enumerated().map { index, match in
      let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : package.endIndex
      let text = package[match.range.lowerBound..<end]
      let name = String(match.output.name)
      var dependencies: Set<String> = []
      if let list = text.firstMatch(of: #/dependencies: \[(?<list>[^\]]*)\]/#) {
        let names = list.output.list.replacing(#/, package: "[^"]*"/#, with: "")
        dependencies = Set(names.matches(of: #/"(?<name>[-\w]+)"/#).map { String($0.output.name) })
      }
      let path = text.firstMatch(of: #/ path: "(?<path>[^"]+)"/#).map { String($0.output.path) }
      let folder = path ?? (match.output.kind == "testTarget" ? "Tests/" : "Sources/") + name
      return Room(name: name, folder: root.appendingPathComponent(folder), dependencies: dependencies)
    }
  }

  /// What the Swift sources of a folder import.
  private func imports(_ folder: URL) throws -> Set<String> {
    var found: Set<String> = []
    for case let file as URL in FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) ?? .init()
    where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: #/(?m)^(?:@\w+ )*import (?:struct |enum |class |func )?(?<name>\w+)/#) {
        found.insert(String(match.output.name))
      }
    }
    return found
  }

  @Test func whatIsImportedIsDeclared() throws {
    let rooms = try rooms()
    #expect(rooms.count > 40)
    let products: Set = ["ArgumentParser", "Crypto", "GRDB", "Mustache"]
    let known = products.union(rooms.map(\.name))
    for room in rooms {
      let imported = try imports(room.folder).intersection(known).subtracting([room.name])
      #expect(imported.isSubset(of: room.dependencies), "\(room.name) imports more than Package.swift says")
      // C is included rather than imported, and a program may only have to be there.
      let idle = room.dependencies.subtracting(imported).filter { !$0.hasPrefix("C") && $0.first!.isUppercase }
      #expect(imported.isEmpty || idle.isEmpty, "\(room.name) does not import \(idle.sorted())")
    }
  }

  @Test func roomsRestOnThoseBelowThem() throws {
    let rooms = try rooms(), names = rooms.map(\.name)
    for (position, room) in rooms.enumerated() {
      for dependency in room.dependencies {
        guard let other = names.firstIndex(of: dependency) else { continue }
        #expect(other < position, "\(room.name) rests on \(dependency), which Package.swift lists after it")
      }
    }
  }
}
