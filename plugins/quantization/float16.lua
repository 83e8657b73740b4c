-- Half-precision weights: half the file, the same arithmetic in float32, accuracy as good as untouched.
return plugin {
  kind    = "quantization",
  summary = "Weights as float16; activations stay float32.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left float32" },
  },
  assign = function(layer, o) return { weights = { type = "float16" } } end,
}
