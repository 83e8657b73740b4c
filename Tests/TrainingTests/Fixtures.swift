import Datasets
import Kernels
import Network
import Tensors

@testable import Training

/// Samples in memory.
struct ArrayDataset: Dataset {
  let name = "arrays"
  let sampleShape: Shape
  let classCount: Int
  let images: [Float]
  let labels: [Int32]
  var count: Int { labels.count }
  var identity: DatasetIdentity { DatasetIdentity(.recipe("arrays")) }

  func read(
    _ indices: [Int], images out: UnsafeMutableBufferPointer<Float>, labels outLabels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let size = sampleShape.count
    for (k, index) in indices.enumerated() {
      for i in 0..<size { out[k * size + i] = images[index * size + i] }
      outLabels[k] = labels[index]
    }
  }
}

/// Small noisy images, each with a bright bar in one of four places: easy, but not for a network that does not learn.
func barImages(_ count: Int, seed: UInt64 = 5) -> ArrayDataset {
  var random = SeededRandom(seed: seed)
  var images = [Float](), labels = [Int32]()
  for _ in 0..<count {
    let label = random.below(4)
    labels.append(Int32(label))
    for y in 0..<8 {
      for x in 0..<8 {
        let inside = label < 2 ? y / 4 == label : x / 4 == label - 2
        images.append(Float(random.uniform(0..<0.6) + (inside ? 0.4 : 0)))
      }
    }
  }
  return ArrayDataset(sampleShape: [8, 8, 1], classCount: 4, images: images, labels: labels)
}

/// A network with every kind of layer that has parameters.
func barGraph() throws -> Graph {
  try built([8, 8, 1]) {
    $0.conv2d(filters: 4, kernel: 3, padding: .same, bias: false, name: "conv")
    $0.batchNorm(BatchNorm(momentum: 0.9), name: "norm")
    $0.activation(.relu)
    $0.maxPool(2)
    let before = $0.conv2d(filters: 8, kernel: 3, stride: 2, groups: 2, name: "grouped")
    $0.activation(.relu6)
    let branch = $0.conv2d(filters: 8, kernel: 1, groups: 8, name: "depthwise")
    $0.add(before, branch)
    $0.flatten()
    $0.dense(4, name: "dense")
    $0.activation(.softmax)
  }
}

func barModel(seed: UInt64 = 2) throws -> Model { try Model(initializing: barGraph(), seed: seed) }

/// All parameters' bytes in order.
func bytes(_ model: Model) -> [UInt8] { model.allParameters.flatMap { $0.parameter.values.withBytes { Array($0) } } }

/// The share of samples whose highest score is their label's, by the model's running statistics.
func accuracy(_ model: Model, _ data: any Dataset, pool: ThreadPool, batchSize: Int = 128) throws -> Double {
  let graph = try TrainingGraph(model.graph, weights: TrainableWeights(model), batchSize: batchSize, pool: pool)
  let batches = try Batches(data, size: batchSize)
  let reader = BatchReader(batchSize: batchSize, classes: graph.scores.size)
  var correct = 0
  for number in 0..<batches.count {
    let indices = batches.indices(number)
    let labels = try reader.read(data, indices, into: graph.samples, pool: pool)
    try graph.forward(count: indices.count, .inference)
    for (sample, label) in labels.enumerated() {
      let scores = (0..<graph.scores.size).map { graph.scores.data[sample * graph.scores.size + $0] }
      if scores.firstIndex(of: scores.max()!) == Int(label) { correct += 1 }
    }
  }
  return Double(correct) / Double(data.count)
}
