-- Filter pruning by the L2 norm (He et al. 2018, "Soft Filter Pruning"; the usual baseline of structured pruning).
-- Score of filter f: sqrt(sum w[f]^2).
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 98.19 %
-- with half of the parameters, 21.60 with 30 %.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning): 83.75 % with 0.8 of the MACs, 65.00 with 0.6.
return plugin {
  kind    = "pruning",
  summary = "Remove the filters of least L2 norm, with all channels coupled with them.",
  options = {
    skip  = { type = "patterns", default = {}, help = "layers left whole" },
    scope = { type = "choice", "global", "layer", default = "global", help = "ranked together, or each group loses as much" },
  },
  scope = function(o) return o.scope end,
  unit  = "filter",
  score = function(layer) return layer.weight:reshape(layer.filters, -1):l2(2) end,
}
