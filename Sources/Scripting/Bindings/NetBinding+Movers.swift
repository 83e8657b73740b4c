import Diagnostics
import LuaHost
import Network
import Tensors

// `net.transpose { 2, 1, 3 }`, `net.slice(3, 1, 16)`, `net.resize(64, 64)`: elements in another order or number. Axes and
// indices count from 1.
extension ScriptSession {
  var movers: [LuaMember] {
    [
      layer("reshape", "shape: integer[]", Self.layerSchema, "The same elements under another shape.") { arguments, _ in
        let shape = try Shape(checking: arguments.integers(0))
        return { _ in .reshape(Reshape(shape)) }
      },
      layer("transpose", "axes: integer[]", Self.layerSchema, "The axes in another order.") { arguments, _ in
        let axes = try arguments.axes(0)
        return { _ in .transpose(Transpose(axes)) }
      },
      layer(
        "slice", "axis: integer, first: integer, last: integer", Self.layerSchema,
        "Some neighbours along an axis: channels, where it is the last."
      ) { arguments, _ in
        let axis = try arguments.axis(0), first = try arguments.axis(1), last = try arguments.axis(2)
        guard last >= first else { throw CompressError("net.slice: no elements from \(first + 1) to \(last + 1)") }
        return { shapes in
          guard shapes[0].rank > axis, last < shapes[0][axis] else {
            throw CompressError("elements \(first + 1) to \(last + 1) of axis \(axis + 1) of shape \(shapes[0])")
          }
          return .gather(Gather(axis: axis, Array(first...last)))
        }
      },
      layer("gather", "axis: integer, indices: integer[]", Self.layerSchema, "Some of an axis, in any order.") {
        arguments, _ in
        let gather = Gather(axis: try arguments.axis(0), try arguments.axes(1))
        return { _ in .gather(gather) }
      },
      layer(
        "channel_shuffle", "groups: integer", Self.layerSchema,
        "The first channel of each group, then the second of each, and so on."
      ) { arguments, _ in
        let groups = try arguments.int(0)
        return { shapes in
          guard let channels = shapes[0].dims.last, groups > 0, channels % groups == 0 else {
            throw CompressError("shape \(shapes[0]) does not divide into \(groups) groups of channels")
          }
          return .gather(Gather(shuffling: channels, groups: groups, axis: shapes[0].rank - 1))
        }
      },
      layer("tile", "repeats: integer[]", Self.layerSchema, "The whole several times along each axis.") { arguments, _ in
        let tile = Tile(try arguments.integers(0))
        return { _ in .tile(tile) }
      },
      layer("expand", "shape: integer[]", Self.layerSchema, "Broadcast to a larger shape.") { arguments, _ in
        let shape = try Shape(checking: arguments.integers(0))
        return { _ in .expand(Expand(shape)) }
      },
      layer("depth_to_space", "block: integer", Self.orderSchema, "Blocks of channels as blocks of pixels.") {
        arguments, given in
        let order = given[NetKeys.order]
        let block = try arguments.int(0)
        return { _ in .depthToSpace(DepthToSpace(block: block, order: order)) }
      },
      layer("space_to_depth", "block: integer", Self.layerSchema, "Blocks of pixels as blocks of channels.") {
        arguments, _ in
        let block = try arguments.int(0)
        return { _ in .spaceToDepth(SpaceToDepth(block: block)) }
      },
      layer(
        "resize", "height: integer, width: integer", Self.resizeSchema,
        "An image in another size, by its nearest pixels or between them."
      ) { arguments, given in
        let height = try arguments.int(0), width = try arguments.int(1)
        let make = try Self.resize(given)
        return { _ in make(height, width) }
      },
      layer("upsample", "factor: integer", Self.resizeSchema, "An image so many times as large.") { arguments, given in
        let factor = try arguments.int(0), make = try Self.resize(given)
        return { shapes in
          guard shapes[0].rank == 3, (1...1024).contains(factor) else {
            throw CompressError("cannot enlarge shape \(shapes[0]) \(factor) times")
          }
          return make(shapes[0][0] * factor, shapes[0][1] * factor)
        }
      },
    ]
  }

  /// PyTorch's `interpolate`: nearest by whole pixels, bilinear by their centres or their corners.
  private static func resize(_ given: OptionValues) throws -> (Int, Int) -> Operator {
    let interpolation = given[NetKeys.mode]
    let coordinates: Resize.Coordinates =
      interpolation == .nearest ? .asymmetric : given[NetKeys.alignCorners] ? .alignCorners : .halfPixel
    return { .resize(Resize(interpolation, height: $0, width: $1, coordinates: coordinates)) }
  }
}
