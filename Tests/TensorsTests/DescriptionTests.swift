import Testing

@testable import Tensors

@Suite struct DescriptionTests {
  @Test func smallTensorsAreAligned() throws {
    #expect(
      "\(Tensor([1, -2.5, 10, 0.123456] as [Float], [2, 2]))" == """
        float32 [2, 2]
        [[   1.0   -2.5]
         [  10.0 0.1235]]
        """)
    #expect("\(Tensor(scalar: 3))" == "float32 []\n3.0")
    #expect("\(Tensor(zeros: [0, 2]))" == "float32 [0, 2]")
    #expect("\(try Tensor([1, 2, 3, 4] as [Int8], [2, 2]).transposed())" == "int8 [2, 2]\n[[1 3]\n [2 4]]")
    #expect("\(Tensor([1.5e10, 2.5e-7, .nan, 0] as [Float]))" == "float32 [4]\n[1.5e10 2.5e-7    nan    0.0]")
  }

  @Test func largeTensorsShowTheirEnds() {
    #expect("\(Tensor((0..<100).map { Int32($0) }))" == "int32 [100]\n[ 0  1  2  … 97 98 99]")
    let text = "\(Tensor(zeros: [3, 100, 100]))"
    #expect(text.count < 1000 && text.contains("…"))
    #expect("\(Tensor(zeros: [8, 8, 8, 8, 8, 8, 8, 8], dtype: .int8))".count < 20_000)
  }
}
