-- Filter pruning by the L1 norm (Li et al. 2017, "Pruning Filters for Efficient ConvNets"): filters of small weights
-- make feature maps of weak activations.
-- Score of filter f: sum |w[f]|.
return plugin {
  kind    = "pruning",
  summary = "Remove the filters of least L1 norm, with every channel that hangs together with them.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "filter",
  score = function(layer) return layer.weight:reshape(layer.filters, -1):l1(2) end,
}
