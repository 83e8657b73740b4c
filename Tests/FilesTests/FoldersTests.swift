import Testing

@testable import Files

struct FoldersTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [("a", "."), ("a/b", "a"), ("a/b/", "a"), ("/a", "/"), ("/", "/"), ("/a/b/c", "/a/b"), ("a//", ".")])
  func parents(path: String, parent: String) {
    #expect(Folders.parent(of: path) == parent)
  }

  @Test func foldersAreMadeWithThoseAbove() throws {
    let path = try folder.file("x/y/z")
    try Folders.create(path)
    try Folders.create(path + "/")
    #expect(Folders.exists(path))
    #expect(!Folders.isFile(path))
  }

  @Test func aFileInTheWayIsNamed() throws {
    let path = try folder.file("f", [1])
    #expect(Folders.isFile(path))
    #expect(try failure { try Folders.create(path) }.description == "\(path): cannot make folder: File exists")
    let below = path + "/g"
    #expect(try failure { try Folders.create(below) }.description == "\(below): cannot make folder: Not a directory")
  }

  @Test func theCacheFollowsTheSpecification() {
    func cache(_ variables: [String: String]) -> String? { Folders.cache { variables[$0] } }
    #expect(cache(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/compress")
    #expect(cache(["XDG_CACHE_HOME": "relative", "HOME": "/h"]) == "/h/.cache/compress")
    #expect(cache(["HOME": "/h"]) == "/h/.cache/compress")
    #expect(cache([:]) == nil)
  }
}
