import Network
import Tensors

/// Where the products of a convolution or dense layer come from; a dense layer is a convolution of
/// images of one pixel.
struct ReferenceSums {
  let conv: Conv2D
  private let isImage: Bool
  let inputShape: Shape
  let outputShape: Shape

  /// - Precondition: the node is a convolution or a dense layer of the model.
  init(_ node: Node, of model: Model) {
    let input = model.graph.inputShapes(of: node)[0]
    outputShape = model.graph.shape(of: node.output)
    switch node.op {
    case .conv2d(let conv):
      self.conv = conv
      isImage = true
      inputShape = input
    case .dense(let dense):
      isImage = false
      conv = Conv2D(filters: dense.units, window: Window(Size2D(1)), hasBias: dense.hasBias)
      inputShape = [1, input.dims.dropLast().reduce(1, *), input.dims.last!]
    default: preconditionFailure("\(node.name) has no sums of products")
    }
  }

  var channels: Int { conv.filters }

  /// For each output element what `add` makes of `start`, given one pair of input and weight element
  /// after the other: by kernel row, kernel column, input channel. What lies outside the image adds nothing.
  func sums<Sum>(_ start: (_ channel: Int) -> Sum, _ add: (inout Sum, _ input: Int, _ weight: Int) -> Void) -> [Sum] {
    let (height, width, depth) = (inputShape[0], inputShape[1], inputShape[2])
    let window = conv.window
    let pads = window.pads(height: height, width: width)
    let (rows, columns) = isImage ? (outputShape[0], outputShape[1]) : (1, outputShape.dims.dropLast().reduce(1, *))
    let groupDepth = depth / conv.groups, groupFilters = conv.filters / conv.groups
    var out: [Sum] = []
    for y in 0..<rows {
      for x in 0..<columns {
        for filter in 0..<conv.filters {
          var sum = start(filter)
          for ky in 0..<window.size.height {
            for kx in 0..<window.size.width {
              let row = y * window.stride.height + ky * window.dilation.height - pads.top
              let column = x * window.stride.width + kx * window.dilation.width - pads.left
              guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
              let pixel = (row * width + column) * depth + filter / groupFilters * groupDepth
              let tap = ((filter * window.size.height + ky) * window.size.width + kx) * groupDepth
              for c in 0..<groupDepth { add(&sum, pixel + c, tap + c) }
            }
          }
          out.append(sum)
        }
      }
    }
    return out
  }
}

/// The pixels each output of a pooling looks at.
struct ReferenceWindows {
  let window: Window?  // nil: the whole image
  let inputShape: Shape
  let outputShape: Shape

  /// Pixels of a window, padding included.
  var taps: Int { window.map { $0.size.height * $0.size.width } ?? inputShape[0] * inputShape[1] }

  /// For each output element, in order, the indices of the input elements under its window.
  func forEach(_ body: (_ output: Int, _ inputs: [Int]) -> Void) {
    let (height, width, depth) = (inputShape[0], inputShape[1], inputShape[2])
    let window = window ?? Window(Size2D(height, width))
    let pads = window.pads(height: height, width: width)
    let columns = outputShape.rank == 3 ? outputShape[1] : 1
    for output in 0..<outputShape.count {
      let (y, x, c) = (output / depth / columns, output / depth % columns, output % depth)
      let top = y * window.stride.height - pads.top, left = x * window.stride.width - pads.left
      var inputs: [Int] = []
      for row in max(top, 0)..<min(top + window.size.height, height) {
        for column in max(left, 0)..<min(left + window.size.width, width) {
          inputs.append((row * width + column) * depth + c)
        }
      }
      body(output, inputs)
    }
  }
}
