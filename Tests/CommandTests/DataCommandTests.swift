import Foundation
import Testing

/// `compress data`, without a network.
struct DataCommandTests {
  let cache: TemporaryFolder
  init() throws { cache = try TemporaryFolder() }

  @Test func whatThereIsIsListed() throws {
    let outcome = try compress(["data", "list"], cache: cache, environment: ["COMPRESS_DATA": ""])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("compress data get cifar10 fetches 170"))
    #expect(outcome.output.contains("20,000"), "digits are always there")
    #expect(outcome.output.contains("looked for in \(cache.path)/compress/data"))
  }

  @Test func noNetworkIsSaid() throws {
    // Port 1 of this machine: nobody answers.
    let outcome = try compress(
      ["data", "get", "mnist", "--data", cache.path + "/d"], cache: cache,
      environment: ["COMPRESS_MIRROR": "http://127.0.0.1:1"])
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("train-images-idx3-ubyte.gz could not be fetched"))
    #expect(outcome.errors.contains("nobody answers there"))
    #expect(outcome.errors.contains("--mirror URL or $COMPRESS_MIRROR"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path + "/d/mnist") == [])
  }

  @Test func mistakes() throws {
    let name = try compress(["data", "get", "minst"], cache: cache)
    #expect(name.status == 2)
    #expect(name.errors.contains("(did you mean \"mnist\"?)"))
    let mirror = try compress(["data", "get", "mnist", "--mirror", "/srv/data"], cache: cache)
    #expect(mirror.status == 2)
    #expect(mirror.errors.contains("begins with https:// or http://"))
    #expect(try compress(["data", "get"], cache: cache).status == 64)
    #expect(try compress(["data", "get", "mnist", "--timeout", "0"], cache: cache).status == 64)
  }
}
