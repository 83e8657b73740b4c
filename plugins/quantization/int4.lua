-- Weights alone as integers of few bits, one scale per output channel; activations are quantized on the fly to 8 bits,
-- image by image. With samples, weights learn which way to be rounded, layer by layer, so that outputs err least (as Nagel
-- et al. 2020, AdaRound, would have it), and biases take back what quantization adds to the means of outputs.
-- Measured by pipelines/cifar10_ptq.lua (ResNet8 and ResNet20 trained on CIFAR-10, 10,000 test images, 512 to learn
-- on): float32 87.19 and 91.73 %; nearest 70.88 and 89.28 %, learned 85.27 and 91.58 %, with `edge_bits = 8` 86.61 and
-- 91.63 %.
return plugin {
  kind    = "quantization",
  summary = "4-bit weights, or 2 to 8; activations quantized while running.",
  options = {
    bits        = { type = "integer", default = 4, min = 2, max = 8, help = "of weights" },
    edge_bits   = { type = "integer", optional = true, min = 2, max = 8, help = "of the first and the last layer; else as all" },
    fit         = { type = "choice", "minmax", "mse", default = "mse", help = "how the scale of a weight is found" },
    per         = { type = "choice", "channel", "tensor", default = "channel", help = "how many scales a weight has" },
    calibration = { type = "data", optional = true, help = "samples to learn rounding on" },
    skip        = { type = "patterns", default = {}, help = "layers left float32" },
  },
  assign = function(layer, o)
    local is_edge = layer.index == 1 or layer.index == layer.count
    return {
      weights      = {
        bits = is_edge and o.edge_bits or o.bits, fit = o.fit, per = o.per, rounding = o.calibration and "learned" or "nearest",
      },
      correct_bias = o.calibration ~= nil,
    }
  end,
}
