import TestSupport
import Tensors
import Testing

@testable import Pipeline

/// Elements at places that are known while a file is read: masks and tables as exporters write them out.
@Suite struct ONNXPlacesTests {
  /// What varies plus what a node makes of constants.
  private func sum(_ shape: [Int], _ wanted: [Float], _ make: (inout ONNXWriter) -> Void) throws -> Bool {
    var net = ONNXWriter()
    net.input("x", [nil] + shape.map { Optional($0) })
    make(&net)
    net.node("Add", ["x", "known"], "y")
    net.output("y")
    let x = Plain([2] + shape) { index in Float(index.reduce(0) { $0 * 5 + $1 }) / 8 }
    let y = Plain(x.dims) { index in
      x[index] + wanted[zip(index.dropFirst(), shape).reduce(0) { $0 * $1.1 + $1.0 }]
    }
    return try verdict(net, [x], [y]).isPassed
  }

  private func data(_ net: inout ONNXWriter) { net.weight("data", [3, 4], (0..<12).map { Float($0) }) }

  @Test func scattered() throws {
    let blocks = try sum([3, 4], [9, 8, 7, 6, 4, 5, 6, 7, 5, 4, 3, 2]) { net in
      data(&net)
      net.integers("rows", [0, -1], dims: [2, 1])
      net.weight("new", [2, 4], [9, 8, 7, 6, 5, 4, 3, 2])
      net.node("ScatterND", ["data", "rows", "new"], "known")
    }
    let elements = try sum([3, 4], [0, 1, 2, 3, 4, 5, -1, 7, -2, 9, 10, 11]) { net in
      data(&net)
      net.integers("places", [1, 2, 2, 0], dims: [2, 2])
      net.weight("new", [2], [-1, -2])
      net.node("ScatterND", ["data", "places", "new"], "known")
    }
    let along = try sum([3, 4], [0, 1, -1, 3, -2, 5, 6, -3, 8, 9, 10, 11]) { net in
      data(&net)
      net.integers("places", [2, 2, 0, -1], dims: [2, 2])
      net.weight("new", [2, 2], [7, -1, -2, -3])
      net.node("ScatterElements", ["data", "places", "new"], "known", ["axis": .integer(1)])
    }
    #expect(blocks && elements && along)
  }

  @Test func gathered() throws {
    let blocks = try sum([2, 4], [8, 9, 10, 11, 0, 1, 2, 3]) { net in
      data(&net)
      net.integers("rows", [-1, 0], dims: [2, 1])
      net.node("GatherND", ["data", "rows"], "known")
    }
    let along = try sum([2, 4], [8, 5, 2, 11, 0, 1, 6, 7]) { net in
      data(&net)
      net.integers("places", [2, 1, 0, -1, 0, 0, 1, 1], dims: [2, 4])
      net.node("GatherElements", ["data", "places"], "known", ["axis": .integer(0)])
    }
    #expect(blocks && along)
  }

  @Test func trianglesSumsAndRepetitions() throws {
    let upper = try sum([3, 4], [0, 1, 2, 3, 0, 5, 6, 7, 0, 0, 10, 11]) { net in
      data(&net)
      net.node("Trilu", ["data"], "known")
    }
    let lower = try sum([3, 4], [0, 1, 0, 0, 4, 5, 6, 0, 8, 9, 10, 11]) { net in
      data(&net)
      net.integers("one", [1], dims: [])
      net.node("Trilu", ["data", "one"], "known", ["upper": .integer(0)])
    }
    let summed = try sum([3, 4], [0, 1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21]) { net in
      data(&net)
      net.integers("axis", [0], dims: [])
      net.node("CumSum", ["data", "axis"], "known")
    }
    let backwards = try sum([3, 4], [6, 5, 3, 0, 18, 13, 7, 0, 30, 21, 11, 0]) { net in
      data(&net)
      net.integers("axis", [-1], dims: [])
      net.node("CumSum", ["data", "axis"], "known", ["exclusive": .integer(1), "reverse": .integer(1)])
    }
    let tiled = try sum([2, 6], [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]) { net in
      net.integers("list", [1, 2, 3], dims: [1, 3])
      net.integers("repeats", [2, 2])
      net.node("Tile", ["list", "repeats"], "integers")
      net.node("Cast", ["integers"], "known", ["to": .integer(1)])
    }
    let places = try sum([2, 3], [0, 0, 1, 0, 2, 1]) { net in
      net.weight("mask", [2, 3], [5, 0, -1, 0, 2, 0])
      net.node("NonZero", ["mask"], "integers")
      net.node("Cast", ["integers"], "known", ["to": .integer(1)])
    }
    #expect(upper && lower && summed && backwards && tiled && places)
  }

  /// Of floats and of integers, along some axes and all.
  @Test func reduced() throws {
    let results: [(String, [Float], Float)] = [
      ("ReduceSum", [12, 15, 18, 21], 66), ("ReduceMax", [8, 9, 10, 11], 11), ("ReduceMin", [0, 1, 2, 3], 0),
      ("ReduceProd", [0, 45, 120, 231], 0), ("ReduceMean", [4, 5, 6, 7], 5.5),
    ]
    for (kind, rows, all) in results {
      let floats = try sum([4], rows) { net in
        data(&net)
        net.integers("axes", [0])
        net.node(kind, ["data", "axes"], "known", ["keepdims": .integer(0)])
      }
      let whole = try sum([1, 1], [all]) { net in
        data(&net)
        net.node(kind, ["data"], "known")
      }
      #expect(floats && whole, "\(kind)")
      guard kind != "ReduceMean" else { continue }
      let integers = try sum([4], rows) { net in
        net.integers("list", Array(0..<12), dims: [3, 4])
        net.integers("axes", [-2])
        net.node(kind, ["list", "axes"], "integers", ["keepdims": .integer(0)])
        net.node("Cast", ["integers"], "known", ["to": .integer(1)])
      }
      #expect(integers, "\(kind)")
    }
  }

  /// What is joined with an empty constant is what it was.
  @Test func nothingIsJoined() throws {
    var net = ONNXWriter()
    net.input("x", [nil, 3])
    net.weight("nothing", [0], [])
    net.node("Concat", ["nothing", "x"], "y", ["axis": .integer(1)])
    net.output("y")
    let x = Plain([2, 3], [1, 2, 3, 4, 5, 6])
    #expect(try verdict(net, [x], [x]).isPassed)
  }

  /// Indices that are beyond an axis, and shapes that do not fit.
  @Test func whatDoesNotFitIsRefused() throws {
    func text(_ kind: String, _ dims: [Int], _ indices: [Int], _ new: [Int]? = nil) throws -> String {
      var net = ONNXWriter()
      net.input("x", [nil, 3, 4])
      data(&net)
      net.integers("places", indices, dims: dims)
      if let new { net.weight("new", new, Array(repeating: 1, count: new.reduce(1, *))) }
      net.node(kind, ["data", "places"] + (new == nil ? [] : ["new"]), "known")
      net.node("Add", ["x", "known"], "y")
      net.output("y")
      return "\(try verdict(net, [Plain([1, 3, 4]) { _ in 0 }], [Plain([1, 3, 4]) { _ in 0 }]))"
    }
    #expect(try text("GatherND", [1, 1], [3]).contains("index 3 of an axis of 3"))
    #expect(try text("GatherND", [1, 3], [0, 0, 0]).contains("indices of shape [1, 3] for shape [3, 4]"))
    #expect(try text("GatherElements", [3], [0, 0, 0]).contains("indices of shape [3] for shape [3, 4]"))
    #expect(try text("ScatterND", [1, 1], [0], [3]).contains("puts values of shape [3] where [1, 4] are asked for"))
  }
}
