import Tensors

extension Zoo {
  /// The CNN of the edge lab (and of TensorFlow's pruning and quantization tutorials): one
  /// convolution, one pooling, one dense layer. 20,410 parameters on MNIST.
  static let labCNN = Entry(
    "lab_cnn", "conv 12@3x3, max-pool, dense: 20,410 parameters on MNIST", Initialization(.glorotUniform),
    ZooOptions(input: [28, 28, 1])
  ) { net, options in
    net.conv2d(filters: 12, kernel: 3, name: "conv")
    net.activation(.relu, name: "relu")
    net.maxPool(2, name: "pool")
    net.flatten(name: "flatten")
    net.dense(options.classes, name: "dense")
  }

  /// A small CNN with batch norms and a second convolution, for quick starts on small images.
  static let quickCNN = Entry(
    "quick_cnn", "two convolutions with batch norm, one dense layer: 9,170 parameters on 28x28",
    Initialization(.heNormal), ZooOptions(input: [28, 28, 1])
  ) { net, options in
    for (index, filters) in [8, 16].enumerated() {
      net.conv2d(filters: filters, kernel: 3, padding: .same, bias: false, name: "conv\(index + 1)")
      net.batchNorm(name: "norm\(index + 1)")
      net.activation(.relu, name: "relu\(index + 1)")
      net.maxPool(2, name: "pool\(index + 1)")
    }
    net.flatten(name: "flatten")
    net.dense(options.classes, name: "dense")
  }

  /// LeCun et al. 1998: two hidden layers of 300 and 100 units. 266,610 parameters on MNIST.
  static let lenet300100 = Entry(
    "lenet_300_100", "dense 300, 100, classes with ReLU: 266,610 parameters on MNIST", Initialization(.glorotUniform),
    ZooOptions(input: [28, 28, 1])
  ) { net, options in
    net.flatten(name: "flatten")
    net.dense(300, name: "fc1")
    net.activation(.relu, name: "relu1")
    net.dense(100, name: "fc2")
    net.activation(.relu, name: "relu2")
    net.dense(options.classes, name: "fc3")
  }

  /// The LeNet-5 that pruning papers compress (Caffe's; Han et al. 2015): convolutions of 20 and 50 filters 5x5 with
  /// max-pooling, a dense layer of 500 with ReLU. 431,080 parameters on MNIST.
  static let lenet5 = Entry(
    "lenet5", "conv 20@5x5, 50@5x5, dense 500 (Caffe's LeNet-5): 431,080 parameters on MNIST",
    Initialization(.glorotUniform), ZooOptions(input: [28, 28, 1])
  ) { net, options in
    net.conv2d(filters: 20, kernel: 5, name: "conv1")
    net.maxPool(2, name: "pool1")
    net.conv2d(filters: 50, kernel: 5, name: "conv2")
    net.maxPool(2, name: "pool2")
    net.flatten(name: "flatten")
    net.dense(500, name: "fc1")
    net.activation(.relu, name: "relu1")
    net.dense(options.classes, name: "fc2")
  }
}
