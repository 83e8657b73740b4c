-- Weights as the upper half of a float32: half the file, the range of float32, 8 significant bits; computed in float32.
return plugin {
  kind    = "quantization",
  summary = "Weights as bfloat16; activations stay float32.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left float32" },
  },
  assign = function(layer, o) return { weights = { type = "bfloat16" } } end,
}
