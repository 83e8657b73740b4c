import Tensors

/// The first layers of a network as a stage whose last result can be computed patch by patch: all between the one image
/// that they read and that result is read by them alone.
struct PatchChain {
  /// What a layer reads: the stage's image, or the result of one of its layers.
  enum Source: Equatable {
    case image
    case layer(Int)
  }

  struct Layer {
    /// By input.
    let sources: [Source]
    let form: PatchForm
    let shape: Shape
    let elementBytes: Int
    let macs: Int
  }

  let layers: [Layer]
  /// Values of the network.
  let image: Int
  let result: Int
  let imageShape: Shape
  let imageBytes: Int
  /// Whether nobody reads the image behind the stage.
  let imageEnds: Bool

  /// - Parameter order: of the network's layers; the first `count` are the stage.
  init?(_ network: CNetwork, _ codes: [CLayer], _ order: [Int], count: Int) {
    var places: [Int: Int] = [:], image: Int?, layers: [Layer] = []
    for (place, index) in order.prefix(count).enumerated() {
      let layer = network.layers[index], output = network.values[layer.output]
      guard let form = codes[index].patches, output.shape.rank == 3, output.count > 0,
        form.reaches.count == layer.inputs.count
      else { return nil }
      var sources: [Source] = []
      for (input, seen) in zip(layer.inputs, layer.shapes) {
        let value = network.values[input]
        guard value.constant == nil, value.shape == seen, seen.rank == 3 else { return nil }
        if let place = places[input] {
          sources.append(.layer(place))
        } else {
          guard image == nil || image == input else { return nil }
          image = input
          sources.append(.image)
        }
      }
      places[layer.output] = place
      layers.append(
        Layer(
          sources: sources, form: form, shape: output.shape, elementBytes: output.elementBytes, macs: layer.macs))
    }
    guard let image, let last = order.prefix(count).last else { return nil }
    result = network.layers[last].output
    let outputs = Set(network.outputs.map(\.value))
    let behind = Set(order.dropFirst(count).flatMap { network.layers[$0].inputs }).union(outputs)
    for (value, place) in places where place < count - 1 {
      let isRead = layers.contains { $0.sources.contains(.layer(place)) }
      guard isRead, !behind.contains(value) else { return nil }
    }
    self.layers = layers
    self.image = image
    imageShape = network.values[image].shape
    imageBytes = network.values[image].elementBytes
    imageEnds = !behind.contains(image)
  }

  var macs: Int { layers.reduce(0) { $0 + $1.macs } }
}

/// A stage's patches along one axis: what of every value each of them needs.
struct PatchAxis {
  /// Pixels of the result in a patch; the last has what is left.
  let step: Int
  /// By patch: the part of each layer's result, and of the image.
  let parts: [[Range<Int>]]
  let image: [Range<Int>]

  init(_ chain: PatchChain, axis: Int, step: Int) {
    self.step = step
    let extent = chain.layers.last!.shape[axis]
    var parts: [[Range<Int>]] = [], image: [Range<Int>] = []
    for first in stride(from: 0, to: extent, by: step) {
      var own = [Range<Int>?](repeating: nil, count: chain.layers.count), seen: Range<Int>?
      own[own.count - 1] = first..<min(first + step, extent)
      func join(_ part: inout Range<Int>?, _ needed: Range<Int>) {
        guard let known = part, !known.isEmpty else { return part = needed }
        if !needed.isEmpty {
          part = min(known.lowerBound, needed.lowerBound)..<max(known.upperBound, needed.upperBound)
        }
      }
      for (index, layer) in chain.layers.enumerated().reversed() {
        for (source, reach) in zip(layer.sources, layer.form.reaches) {
          let span = axis == 0 ? reach.rows : reach.columns
          switch source {
          case .image: join(&seen, span.needed(own[index]!, of: chain.imageShape[axis]))
          case .layer(let before): join(&own[before], span.needed(own[index]!, of: chain.layers[before].shape[axis]))
          }
        }
      }
      parts.append(own.map { $0! })
      image.append(seen!)
    }
    self.parts = parts
    self.image = image
  }

  var count: Int { parts.count }

  /// The most pixels of a layer's result in a patch.
  func most(_ layer: Int) -> Int { parts.map { $0[layer].count }.max() ?? 0 }
  /// Those of all patches.
  func sum(_ layer: Int) -> Int { parts.reduce(0) { $0 + $1[layer].count } }
}
