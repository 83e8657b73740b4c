import Files
import Tensors
import Testing

struct MappedTensorTests {
  @Test func aTensorKeepsTheMappingAlive() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("t", [0, 0, 128, 63, 0, 0, 0, 192])
    func tensor() throws -> Tensor {
      let file = try MappedFile(path)
      return try Tensor(borrowing: file.bytes, owner: file, shape: [2], dtype: .float32)
    }
    var values = try tensor()
    #expect(values.array(Float.self) == [1, -2])
    values.withMutable(Float.self) { $0[0] = 5 }
    #expect(values.array(Float.self) == [5, -2])
    #expect(try tensor().array(Float.self) == [1, -2])
  }
}
