-- Filter pruning by the L1 norm (Li et al. 2017, "Pruning Filters for Efficient ConvNets"): filters of small weights
-- make feature maps of weak activations.
-- Score of filter f: sum |w[f]|.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 98.15 %
-- with half of the parameters, 16.33 with 30 %.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning): 83.65 % with 0.8 of the MACs, 68.05 with 0.6.
return plugin {
  kind    = "pruning",
  summary = "Remove the filters of least L1 norm, with all channels coupled with them.",
  options = {
    skip  = { type = "patterns", default = {}, help = "layers left whole" },
    scope = { type = "choice", "global", "layer", default = "global", help = "ranked together, or each group loses as much" },
  },
  scope = function(o) return o.scope end,
  unit  = "filter",
  score = function(layer) return layer.weight:reshape(layer.filters, -1):l1(2) end,
}
