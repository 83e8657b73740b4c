// The numbers of the TensorFlow Lite schema, version 3: what is read and written of it. They are public and never
// change.

/// Operators of the standard by their numbers.
enum TFLiteOperator {
  static let names = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH
    SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN
    GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM
    STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
    CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN
    TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT
    REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY
    SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS
    SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE
    MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2
    DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D
    IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE
    VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM
    MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX
    UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC
    STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP
    STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL
    STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR
    STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER
    STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE
    STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA
    STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER
    STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT
    STABLEHLO_CBRT
    """.split(whereSeparator: \.isWhitespace).map(String.init)
  static let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  /// Stands in the old field of one byte for all numbers above it, and for custom operators.
  static let largestOldNumber = 127
  static let custom = 32
}

/// The type of a tensor's elements.
enum TFLiteType: Int8 {
  case float32 = 0, float16, int32, uint8, int64, string, bool, int16, complex64, int8, float64, complex128, uint64
  case resource, variant, uint32, uint16, int4, bfloat16

  /// Bits of an element; nil of what has no fixed size.
  var bits: Int? {
    switch self {
    case .int4: 4
    case .uint8, .int8, .bool: 8
    case .float16, .int16, .uint16, .bfloat16: 16
    case .float32, .int32, .uint32: 32
    case .int64, .uint64, .float64, .complex64: 64
    case .complex128: 128
    case .string, .resource, .variant: nil
    }
  }

  var isFloat: Bool { [.float32, .float16, .float64, .bfloat16].contains(self) }
  /// Whether values of it stand for numbers by scale and zero point.
  var isQuantized: Bool { [.int8, .uint8, .int16].contains(self) }
}

/// What comes behind an operator, within it.
enum TFLiteActivation: Int8 {
  case none = 0, relu, reluN1To1, relu6, tanh, signBit
}

enum TFLitePadding: Int8 { case same = 0, valid }

/// The table that an operator's options are in.
enum TFLiteOptions: UInt8 {
  case none = 0
  case conv2D = 1, depthwiseConv2D = 2, pool2D = 5, fullyConnected = 8, softmax = 9, concatenation = 10, add = 11
  case l2Norm = 12, resizeBilinear = 15, reshape = 17, spaceToDepth = 19, mul = 21, pad = 22, gather = 23
  case transpose = 26, reducer = 27, sub = 28, div = 29, squeeze = 30, stridedSlice = 32, exp = 33, split = 35
  case logSoftmax = 36, cast = 37, dequantize = 38, maximumMinimum = 39, argMax = 40, neg = 42, padV2 = 43, slice = 48
  case transposeConv = 49, tile = 51, expandDims = 52, shape = 55, pow = 56, pack = 59, unpack = 64, square = 66
  case resizeNearestNeighbor = 74, leakyReLU = 75, squaredDifference = 76, mirrorPad = 77, abs = 78, splitV = 79
  case cos = 84, sign = 123
  case quantize = 89, hardSwish = 91, depthToSpace = 94, densify = 99, batchMatMul = 101, broadcastTo = 104, gelu = 116
}

// The fields of tables, by their places in the schema.
enum TFLiteField {
  enum Model {
    static let version = 0, operatorCodes = 1, subgraphs = 2, description = 3, buffers = 4, metadata = 6, signatures = 7
  }
  enum OperatorCode { static let oldNumber = 0, custom = 1, version = 2, number = 3 }
  enum Subgraph { static let tensors = 0, inputs = 1, outputs = 2, operators = 3, name = 4 }
  enum Tensor {
    static let shape = 0, type = 1, buffer = 2, name = 3, quantization = 4, isVariable = 5, sparsity = 6
    static let shapeSignature = 7
  }
  enum Quantization { static let scale = 2, zeroPoint = 3, axis = 6 }
  enum Sparsity { static let order = 0, blockMap = 1, dimensions = 2 }
  enum SparseDimension {
    static let format = 0, denseSize = 1, segmentsType = 2, segments = 3, indicesType = 4, indices = 5
  }
  enum Operator {
    static let code = 0, inputs = 1, outputs = 2, optionsType = 3, options = 4, customOptions = 5
  }
  enum Buffer { static let data = 0, offset = 1, size = 2 }
  enum Metadata { static let name = 0, buffer = 1 }
  enum Signature { static let inputs = 0, outputs = 1, key = 2, subgraph = 4 }
  enum TensorMap { static let name = 0, tensor = 1 }

  // Of convolutions and pools the first three are the same.
  enum Window { static let padding = 0, strideWidth = 1, strideHeight = 2 }
  enum Conv2D { static let activation = 3, dilationWidth = 4, dilationHeight = 5 }
  enum DepthwiseConv2D { static let multiplier = 3, activation = 4, dilationWidth = 5, dilationHeight = 6 }
  enum Pool2D { static let width = 3, height = 4, activation = 5 }
  enum TransposeConv { static let activation = 3 }
  enum FullyConnected { static let activation = 0, weightsFormat = 1, keepsAxes = 2 }
  enum Softmax { static let beta = 0 }
  enum Concatenation { static let axis = 0, activation = 1 }
  /// Of sums, products, differences, quotients and L2 normalization.
  enum Arithmetic { static let activation = 0 }
  enum ResizeBilinear { static let alignCorners = 2, halfPixelCenters = 3 }
  enum ResizeNearestNeighbor { static let alignCorners = 0, halfPixelCenters = 1 }
  enum Reshape { static let shape = 0 }
  enum Block { static let size = 0 }
  enum Gather { static let axis = 0, batchAxes = 1 }
  enum Reducer { static let keepsAxes = 0 }
  enum Squeeze { static let axes = 0 }
  enum StridedSlice { static let begin = 0, end = 1, ellipsis = 2, newAxis = 3, shrinkAxis = 4 }
  enum Pack { static let count = 0, axis = 1 }
  enum Unpack { static let count = 0, axis = 1 }
  enum LeakyReLU { static let alpha = 0 }
  enum MirrorPad { static let mode = 0 }
  enum BatchMatMul { static let transposesFirst = 0, transposesSecond = 1 }
  enum Gelu { static let approximate = 0 }
  enum ArgMax { static let outputType = 0 }
  enum Split { static let count = 0 }
}
