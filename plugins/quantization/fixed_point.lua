-- Few bits, in the four spacings that fixed-point studies compare: linear (one power-of-two scale for a whole tensor, as
-- hardware with shifts has it), minmax (equal steps over the range), log and tanh (denser around zero). Linear and minmax
-- activations run as integers; tables of weights, logarithms and tanh are simulated: the same rounding, in float32.
return plugin {
  kind    = "quantization",
  summary = "Fixed point: linear, minmax, log or tanh, with chosen bits.",
  options = {
    calibration     = { type = "data", help = "samples to calibrate activations on; a few hundred are enough" },
    method          = { type = "choice", "linear", "minmax", "log", "tanh", default = "linear", help = "where levels lie" },
    bits            = { type = "integer", default = 8, min = 2, max = 8, help = "of weights" },
    activation_bits = { type = "integer", default = 8, min = 2, max = 8, help = "of activations" },
    norm_bits       = { type = "integer", optional = true, min = 2, max = 8, help = "of batch norms; float32 without" },
    observer        = { type = "choice", "minmax", "percentile", "mse", default = "minmax", help = "range of activations" },
    skip            = { type = "patterns", default = {}, help = "layers left float32" },
  },
  assign = function(layer, o)
    local linear = o.method == "linear"
    local spacing = (linear or o.method == "minmax") and "linear" or o.method
    return {
      weights = linear and { bits = o.bits, per = "tensor", power_of_two = true }
        or { type = "levels", bits = o.bits, spacing = spacing },
      norm        = o.norm_bits and { bits = o.norm_bits, spacing = spacing } or nil,
      activations = {
        bits = o.activation_bits, observer = o.observer, spacing = spacing, symmetric = linear, power_of_two = linear,
      },
    }
  end,
}
