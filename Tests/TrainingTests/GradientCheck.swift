import Kernels
import Network
import Tensors
import Testing

@testable import Training

/// A model with random parameters of every kind, away from zero and from symmetry.
func randomModel(_ graph: Graph, seed: UInt64 = 1) throws -> Model {
  var random = SeededRandom(seed: seed)
  var parameters: [String: [ParameterRole: Parameter]] = [:]
  for node in graph.nodes where node.sharing == nil {
    for spec in graph.parameterSpecs(of: node) {
      let range: (Float, Float) = spec.role == .gamma || spec.role == .variance ? (0.5, 1.5) : (-1, 1)
      parameters[node.name, default: [:]][spec.role] = Parameter(
        Tensor(uniform: spec.shape, range.0, range.1, using: &random))
    }
  }
  return try Model(graph: graph, parameters: parameters)
}

func built(_ input: Shape, _ build: (inout GraphBuilder) -> Void) throws -> Graph {
  var net = GraphBuilder(input: input)
  build(&net)
  return try net.graph()
}

/// Compares every output and parameter gradient of a training graph with the float64 reference: gradients by central
/// differences of `sum(scores * coefficients)`, with random coefficients.
func checkGradients(
  _ graph: Graph, count: Int = 2, isTraining: Bool = true, tolerance: Double = 2e-4,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let model = try randomModel(graph)
  var random = SeededRandom(seed: 7)
  let weights = try TrainableWeights(model)
  let batchSize = count + 1  // room that stays unused
  let training = try TrainingGraph(
    graph, weights: weights, batchSize: batchSize, pool: ThreadPool(threads: 2, smallestWork: 0))

  var images = [Double](), coefficients = [Double]()
  for i in 0..<count * training.sampleSize {
    training.samples[i] = Float(random.uniform(-1..<1))
    images.append(Double(training.samples[i]))
  }
  try training.forward(count: count, isTraining ? .training : .inference)
  for i in 0..<count * training.scores.size {
    training.scores.gradient![i] = Float(random.uniform(-1..<1))
    coefficients.append(Double(training.scores.gradient![i]))
  }
  try training.backward()

  var reference = Reference(model)
  reference.isTraining = isTraining
  func scores() -> [Double] {
    let last = graph.producer(of: graph.output)!
    let name = if case .activation(.softmax) = last.op { last.inputs[0] } else { last.name }
    return reference.values(images, count: count)[name]!
  }
  for (index, expected) in scores().enumerated() {
    let got = Double(training.scores.data[index])
    #expect(abs(got - expected) <= tolerance * max(1, abs(expected)), "score \(index)", sourceLocation: sourceLocation)
  }
  let step = 1e-5
  for (layer, role, parameter) in model.allParameters where role.isTrainable {
    let gradient = weights.parameter(layer, role)!.gradient!
    // The error is measured against the parameter's largest gradient: small ones drown in float32 rounding.
    var expected = [Double]()
    for i in 0..<parameter.count {
      let value = reference.parameters[layer]![role]![i]
      func loss(at value: Double) -> Double {
        reference.parameters[layer]![role]![i] = value
        return zip(scores(), coefficients).reduce(0) { $0 + $1.0 * $1.1 }
      }
      expected.append((loss(at: value + step) - loss(at: value - step)) / (2 * step))
      reference.parameters[layer]![role]![i] = value
    }
    let scale = max(1, expected.map(abs).max() ?? 1)
    for (i, expected) in expected.enumerated() {
      #expect(
        abs(Double(gradient[i]) - expected) <= tolerance * scale,
        "\(layer) \(role)[\(i)]: \(gradient[i]), expected \(expected)", sourceLocation: sourceLocation)
    }
  }
}
