-- Local magnitude pruning: every layer loses the same share of its weights, the smallest first
-- (Zhu and Gupta 2017, as in TensorFlow's prune_low_magnitude).
-- Score: |w|.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights of least magnitude, the same share in each layer.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "layer",
  unit  = "weight",
  score = function(layer) return layer.weight:abs() end,
}
