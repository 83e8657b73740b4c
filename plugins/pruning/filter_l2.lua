-- Filter pruning by the L2 norm (He et al. 2018, "Soft Filter Pruning"; the usual baseline of structured pruning).
-- Score of filter f: sqrt(sum w[f]^2).
return plugin {
  kind    = "pruning",
  summary = "Remove the filters of least L2 norm, with every channel that hangs together with them.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "filter",
  score = function(layer) return layer.weight:reshape(layer.filters, -1):l2(2) end,
}
