import Diagnostics
import Foundation
import Network
import Tensors
import Testing

@testable import Formats

/// Configurations as text, with weights that are the same for all: what models say, and what they had better not.
@Suite struct KerasConfigurationTests {
  /// A file that has no weights.
  private func empty() throws -> HDF5File {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    _ = write(ends[1], "CHDF5\u{1}E", 7)
    close(ends[1])
    defer { close(ends[0]) }
    var stream = HDF5Stream(ends[0])
    return try HDF5File(&stream, fileBytes: 0)
  }

  private func model(_ text: String, isVersion3: Bool = true) throws -> Model {
    let network = try KerasNetwork(KerasJSON.read(Array(text.utf8)))
    var importer = KerasImporter(KerasWeights(try empty(), .archive), isVersion3: isVersion3, inputShapes: [:])
    return try importer.imported(network, format: "keras")
  }

  private func failure(_ text: String) -> String { message { _ = try model(text) } }

  private func layer(_ kind: String, _ name: String, _ config: String = "", from: String) -> String {
    #"{"class_name":"\#(kind)","name":"\#(name)","config":{"name":"\#(name)"\#(config)},"inbound_nodes":[[\#(from)]]}"#
  }

  private func functional(_ layers: String..., inputs: String = #"["x",0,0]"#, outputs: String) -> String {
    let input =
      #"{"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,4,4,2]},"#
      + #""inbound_nodes":[]}"#
    return #"{"class_name":"Functional","config":{"name":"m","layers":[\#(([input] + layers).joined(separator: ","))],"#
      + #""input_layers":[\#(inputs)],"output_layers":[\#(outputs)]}}"#
  }

  @Test func asKeras2WritesThem() throws {
    let relu = layer("ReLU", "r", #","max_value":6.0"#, from: #"["x",0,0,{}]"#)
    let hard = layer("Activation", "h", #","activation":"hard_sigmoid""#, from: #"["r",0,0,{}]"#)
    let op =
      #"{"class_name":"TFOpLambda","name":"tf.math.multiply","#
      + #""config":{"name":"tf.math.multiply","function":"math.multiply"},"#
      + #""inbound_nodes":[["h",0,0,{"y":0.5,"name":null}]]}"#
    let both = functional(relu, hard, op, outputs: #"["tf.math.multiply",0,0],["r",0,0]"#)
    let old = try model(both, isVersion3: false), new = try model(both)
    #expect(old.graph.outputs == ["tf.math.multiply", "r"])
    #expect(old.graph["r"]?.op == .activation(.relu6))
    #expect(old.graph["h"]?.op == .activation(.hardSigmoid(slope: 0.2, offset: 0.5)))
    #expect(new.graph["h"]?.op == .activation(.hardSigmoid(slope: 1 / 6, offset: 0.5)))
    #expect(old["tf.math.multiply/second", .constant]?.values.array(Float.self) == [0.5])
    // A number first, and values of other ranks than their functions would take them for.
    let difference =
      #"{"class_name":"TFOpLambda","name":"d","config":{"name":"d","function":"math.subtract"},"#
      + #""inbound_nodes":[["_CONSTANT_VALUE",-1,1.0,{"y":["r",0,0],"name":null}]]}"#
    let subtracted = try model(functional(relu, difference, outputs: #"["d",0,0]"#))
    #expect(subtracted.graph["d"]?.inputs == ["d/first", "r"] && subtracted.graph["d"]?.op == .binary(Binary(.sub)))
    let pooled = layer("GlobalAveragePooling2D", "p", from: #"["x",0,0,{}]"#)
    let mixed =
      #"{"class_name":"TFOpLambda","name":"d","config":{"name":"d","function":"math.multiply"},"#
      + #""inbound_nodes":[["r",0,0,{"y":["p",0,0]}]]}"#
    #expect(failure(functional(relu, pooled, mixed, outputs: #"["d",0,0]"#)).contains("takes values of 3 and 1 axes"))
    let numbers =
      #"{"class_name":"Add","module":"keras.src.ops.numpy","name":"d","config":{"name":"d"},"#
      + #""inbound_nodes":[{"args":[1.0,2.0],"kwargs":{}}]}"#
    #expect(failure(functional(relu, numbers, outputs: #"["d",0,0]"#)).contains("takes numbers alone"))
    let merged = layer("Multiply", "d", from: #"["r",0,0,{}],["p",0,0,{}]"#)
    #expect(try model(functional(relu, pooled, merged, outputs: #"["d",0,0]"#)).graph.outputShape == [4, 4, 2])
    // Layers need no order, sequential models no input layer.
    #expect(try model(functional(hard, relu, op, outputs: #"["h",0,0]"#)).graph.nodes.map(\.name) == ["x", "r", "h"])
    let sequential = try model(
      #"{"class_name":"Sequential","config":["#
        + #"{"class_name":"Flatten","config":{"name":"f","batch_input_shape":[null,3,2]}}]}"#
    )
    #expect(sequential.graph.nodes.map(\.name) == ["f_input", "f"] && sequential.graph.outputShape == [6])
  }

  /// An input that is an output, one value that is two.
  @Test func outputsOfTheirOwn() throws {
    let relu = layer("ReLU", "r", from: #"["x",0,0,{}]"#)
    let model = try model(functional(relu, outputs: #"["x",0,0],["r",0,0],["r",0,0]"#))
    #expect(model.graph.outputs == ["x/output", "r", "r/output"])
    #expect(model.signature.interface?.outputs.map(\.name) == ["x", "r", "r"])
  }

  /// What has its channels first is held with them last, until something asks for Keras's order.
  @Test func channelsFirst() throws {
    let pool = layer("MaxPooling2D", "p", #","pool_size":2,"data_format":"channels_first""#, from: #"["x",0,0,{}]"#)
    let joined = layer("Concatenate", "c", #","axis":1"#, from: #"["p",0,0,{}],["p",0,0,{}]"#)
    let flat = layer("Flatten", "f", from: #"["c",0,0,{}]"#)
    let turned = layer("Flatten", "t", #","data_format":"channels_first""#, from: #"["c",0,0,{}]"#)
    let model = try model(functional(pool, joined, flat, turned, outputs: #"["c",0,0],["f",0,0],["t",0,0]"#))
    #expect(model.graph.inputShape == [4, 2, 4] && model.graph.shape(of: "c") == [2, 1, 8])
    #expect(model.signature.interface?.inputs[0].order == [1, 2, 0])
    #expect(model.signature.interface?.outputs.map(\.order) == [[1, 2, 0], [0], [0]])
    #expect(model.graph["c"]?.op == .concat(Concat()) && model.graph["t"]?.inputs == ["c"])
    #expect(model.graph.nodes.count { if case .transpose = $0.op { true } else { false } } == 1)
    // Along what is the last axis of Keras's value.
    let rows = layer("Softmax", "s", from: #"["p",0,0,{}]"#)
    let softened = try self.model(functional(pool, rows, outputs: #"["s",0,0]"#))
    #expect(softened.graph.outputShape == [4, 2, 1])
    #expect(softened.signature.interface?.outputs[0].order == [0, 1, 2])
    let channels = layer("Softmax", "s", #","axis":1"#, from: #"["p",0,0,{}]"#)
    #expect(try self.model(functional(pool, channels, outputs: #"["s",0,0]"#)).graph.outputShape == [2, 1, 4])
  }

  /// Values that attention takes by name, and what is not read of it.
  @Test func valuesByName() {
    func heads(_ named: String) -> String {
      failure(
        functional(
          layer("MultiHeadAttention", "a", #","num_heads":2,"key_dim":3"#, from: #"["x",0,0,{\#(named)}]"#),
          outputs: #"["a",0,0]"#))
    }
    #expect(heads(#""value":["x",0,0]"#).contains("attends") == false)
    #expect(heads(#""value":["x",0,0]"#).contains("has no kernel"))
    #expect(heads("").contains("takes queries, values and perhaps keys, not 1 values"))
    #expect(heads(#""key":["x",0,0]"#).contains("is called without a value"))
    let withMask = heads(#""value":["x",0,0],"attention_mask":["x",0,0]"#)
    #expect(withMask.contains("is called with a value by name, attention_mask"))
    #expect(heads(#""value":["x",0,0],"use_causal_mask":true"#).contains("is called with use_causal_mask"))
    let masked = layer("Softmax", "s", from: #"["x",0,0,{"mask":["x",0,0]}]"#)
    #expect(failure(functional(masked, outputs: #"["s",0,0]"#)).contains("is called with a value by name, mask"))
  }

  @Test func groupsOfLayers() {
    for (kind, name) in [
      ("Conv2D", "conv2d"), ("DepthwiseConv2D", "depthwise_conv2d"), ("Conv2DTranspose", "conv2d_transpose"),
      ("BatchNormalization", "batch_normalization"), ("PReLU", "p_re_lu"), ("ReLU", "re_lu"), ("ELU", "elu"),
      ("Dense", "dense"), ("Functional", "functional"),
    ] { #expect(KerasWeights.snakeCase(kind) == name) }
  }

  @Test func configurationsThatLie() {
    let relu = layer("ReLU", "r", from: #"["x",0,0,{}]"#)
    func one(_ kind: String, _ config: String) -> String {
      failure(functional(layer(kind, "l", config, from: #"["x",0,0,{}]"#), outputs: #"["l",0,0]"#))
    }
    #expect(failure("{") == "has a configuration that is no JSON")
    #expect(failure("[]") == "has no configuration of a model")
    #expect(failure(String(repeating: "[", count: 5000)).contains("nested more than"))
    #expect(
      failure(#"{"class_name":"MyModel","config":{}}"#).contains("is a model of class MyModel, which is Python code"))
    #expect(failure(#"{"class_name":"Sequential","config":{"layers":[]}}"#).contains("has no list of layers"))
    #expect(failure(functional(relu, outputs: "")).contains("does not say which layers are its inputs and outputs"))
    #expect(failure(functional(relu, outputs: #"["q",0,0]"#)).hasPrefix("layer \"q\": cannot be computed"))
    #expect(failure(functional(relu, outputs: #"["r",1,0]"#)).contains("cannot be computed"))
    #expect(failure(functional(relu, outputs: #"["r",0,1]"#)).contains("cannot be computed"))
    #expect(failure(functional(relu, relu, outputs: #"["r",0,0]"#)) == "layer \"r\": two layers have this name")
    #expect(
      failure(functional(relu, inputs: #"["r",0,0]"#, outputs: #"["r",0,0]"#)).contains(
        "an input that is no InputLayer"))
    // In a circle, and of a value that a layer does not give.
    let first = layer("ReLU", "a", from: #"["b",0,0,{}]"#), second = layer("ReLU", "b", from: #"["a",0,0,{}]"#)
    #expect(
      failure(functional(first, second, outputs: #"["a",0,0]"#)).contains("takes what is no layer's value, or itself"))
    let beyond = layer("ReLU", "a", from: #"["x",0,3,{}]"#)
    #expect(failure(functional(beyond, outputs: #"["a",0,0]"#)).contains("takes output 3 of \"x\", which there is not"))
    #expect(one("Conv2D", #","filters":3,"kernel_size":[3,3]"#).contains("layer \"l\": Conv2D: has no kernel"))
    let training = layer("Dropout", "l", from: #"["x",0,0,{"training":true}]"#)
    #expect(
      failure(functional(training, outputs: #"["l",0,0]"#)).hasPrefix("layer \"l\": is called with training=True"))
    #expect(one("Conv2D", #","filters":3"#) == "layer \"l\": Conv2D: has kernel_size that is missing or out of range")
    #expect(one("Conv2D", #","filters":-3,"kernel_size":[3,3]"#).contains("-3 filters"))
    #expect(one("Dense", #","units":-9223372036854775808"#).contains("has units that is missing or out of range"))
    #expect(one("Conv2D", #","filters":1e30,"kernel_size":3"#).contains("has filters that is missing or out of range"))
    #expect(
      one("Conv2D", #","filters":3,"kernel_size":[70000,3]"#).contains("kernel_size that is missing or out of range"))
    #expect(one("Conv2D", #","filters":3,"kernel_size":3,"padding":"causal""#).contains("has padding \"causal\""))
    #expect(one("Conv1D", #","filters":3,"kernel_size":3"#).contains("takes a signal of two axes, not shape [4, 4, 2]"))
    #expect(
      one("Conv2DTranspose", #","filters":3,"kernel_size":3,"strides":0"#).contains("sizes that are out of range"))
    #expect(one("DepthwiseConv2D", #","kernel_size":3,"depth_multiplier":0"#).contains("depth_multiplier"))
    #expect(one("BatchNormalization", #","axis":2"#).contains("works along other axes than the first or the last"))
    #expect(one("Softmax", #","axis":[1,2]"#).contains("works along other axes than the first or the last"))
    #expect(one("Reshape", #","target_shape":[-1,-1]"#).contains("target_shape"))
    #expect(one("Reshape", #","target_shape":[-1,0]"#).contains("target_shape"))
    #expect(one("Reshape", #","target_shape":[5,5]"#).contains("cannot reshape"))
    #expect(one("Permute", #","dims":[1,1,2]"#).contains("axes"))
    #expect(one("Cropping2D", #","cropping":[[3,3],[0,0]]"#).contains("leaves nothing of [4, 4, 2]"))
    #expect(one("UpSampling2D", #","size":[70000,2]"#).contains("size"))
    #expect(one("Activation", #","activation":"snake""#).contains("has activation \"snake\""))
    #expect(one("Con2D", "").contains("is a class of layers that is not supported (did you mean \"Conv2D\"?)"))
    #expect(one("Add", "").contains("takes two values or more, not 1"))
    #expect(
      one("Normalization", #","mean":[1,2,3],"variance":[1,2,3]"#).contains(
        "no mean and variance for each of 2 channels"))
    // Models in models: each is called twice by the next.
    var inner = layer("ReLU", "m", from: #"["x",0,0,{}]"#)
    for _ in 0..<20 {
      let calls = #""name":"m","inbound_nodes":[[["x",0,0,{}]],[["m",0,0,{}]]]"#
      inner = "{" + calls + "," + functional(inner, outputs: #"["m",0,0]"#).dropFirst()
    }
    let deep = failure(functional(inner, outputs: #"["m",1,0]"#))
    #expect(deep.contains("nested more than") || deep.contains("has more than 131072 layers"), "\(deep.prefix(300))")
  }
}
