import Testing

@testable import Kernels

/// Awkward convolutions: odd strides, paddings, dilations, groups, one channel, kernels larger than the image.
struct ConvolutionCase: CustomTestStringConvertible {
  let geometry: ConvolutionGeometry
  let batch: Int

  init(
    _ h: Int, _ w: Int, _ c: Int, _ o: Int, _ kernel: (Int, Int), stride: (Int, Int) = (1, 1),
    pad: (Int, Int, Int, Int) = (0, 0, 0, 0), dilation: (Int, Int) = (1, 1), groups: Int = 1, batch: Int = 3
  ) throws {
    let window = try WindowGeometry(
      height: h, width: w, channels: c, kernel: kernel, stride: stride,
      padding: .init(top: pad.0, left: pad.1, bottom: pad.2, right: pad.3), dilation: dilation)
    geometry = try ConvolutionGeometry(window, outputChannels: o, groups: groups)
    self.batch = batch
  }

  var testDescription: String {
    let w = geometry.window
    return "\(w.height)x\(w.width)x\(w.channels) -> \(geometry.outputChannels), "
      + "kernel \(w.kernelHeight)x\(w.kernelWidth), stride \(w.strideHeight)x\(w.strideWidth), "
      + "dilation \(w.dilationHeight)x\(w.dilationWidth), groups \(geometry.groups)"
  }

  static func all() throws -> [ConvolutionCase] {
    try [
      .init(9, 7, 1, 12, (3, 3)),
      .init(28, 28, 1, 12, (3, 3), batch: 2),
      .init(8, 11, 3, 5, (3, 5), stride: (2, 3), pad: (1, 2, 1, 2)),
      .init(5, 6, 4, 33, (1, 1)),
      .init(7, 5, 6, 17, (1, 1), stride: (2, 2)),
      .init(10, 9, 2, 7, (3, 2), stride: (3, 1), pad: (2, 1, 0, 3), dilation: (2, 3)),
      .init(3, 4, 5, 3, (5, 4), pad: (2, 1, 2, 2)),
      .init(2, 2, 16, 40, (7, 7), pad: (3, 3, 3, 3), batch: 1),
      .init(6, 7, 8, 12, (3, 3), pad: (1, 1, 1, 1), groups: 2),
      .init(6, 5, 9, 18, (2, 3), stride: (1, 2), pad: (0, 1, 1, 1), groups: 9),
      .init(9, 8, 5, 5, (3, 3), pad: (1, 1, 1, 1), groups: 5),
      .init(7, 9, 35, 35, (3, 3), stride: (2, 2), pad: (0, 1, 1, 0), groups: 35),
      .init(8, 8, 17, 17, (5, 5), pad: (4, 4, 4, 4), dilation: (2, 2), groups: 17, batch: 1),
      .init(1, 1, 37, 10, (1, 1), batch: 19),
      .init(1, 1, 900, 70, (1, 1), batch: 1),
      .init(4, 4, 110, 35, (3, 3), pad: (1, 1, 1, 1), batch: 1),
      .init(5, 5, 12, 8, (1, 1), groups: 4),
      // Winograd's, with tiles over the edge and panels that are not full
      .init(4, 4, 32, 35, (3, 3), pad: (1, 1, 1, 1), batch: 2),
      .init(7, 9, 37, 64, (3, 3), pad: (1, 1, 1, 1), batch: 5),
      .init(9, 8, 65, 32, (3, 3), pad: (0, 1, 1, 0), batch: 2),
      .init(6, 6, 33, 40, (3, 3), pad: (2, 2, 2, 2), batch: 1),
      .init(40, 3, 1, 1, (40, 1), batch: 2),
    ]
  }
}

/// Convolution written down as its definition, with the contract's order of additions.
func naiveConvolution(
  _ g: ConvolutionGeometry, _ input: [Float], _ weights: [Float], _ bias: [Float]?, batch: Int,
  _ clamp: ClosedRange<Float>
) -> [Float] {
  let w = g.window, perGroup = w.channels / g.groups, outputs = g.outputChannels / g.groups
  var out = [Float]()
  for n in 0..<batch {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        for o in 0..<g.outputChannels {
          var sum = bias?[o] ?? 0
          for ky in 0..<w.kernelHeight {
            for kx in 0..<w.kernelWidth {
              let y = oy * w.strideHeight + ky * w.dilationHeight - w.padding.top
              let x = ox * w.strideWidth + kx * w.dilationWidth - w.padding.left
              let inside = y >= 0 && y < w.height && x >= 0 && x < w.width
              for c in 0..<perGroup {
                let channel = o / outputs * perGroup + c
                let value = inside ? input[((n * w.height + y) * w.width + x) * w.channels + channel] : 0
                let weight = weights[((o * w.kernelHeight + ky) * w.kernelWidth + kx) * perGroup + c]
                sum = sum.addingProduct(value, weight)
              }
            }
          }
          out.append(min(max(sum, clamp.lowerBound), clamp.upperBound))
        }
      }
    }
  }
  return out
}
