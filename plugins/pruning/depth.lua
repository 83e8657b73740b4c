-- Depth pruning: whole residual blocks go, and the network becomes less deep (Veit et al. 2016, "Residual Networks
-- Behave Like Ensembles of Relatively Shallow Networks").
-- Score of a block: the mean over its layers of their mean |w|.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning): 35.35 % with 0.8 of the MACs, 32.20 with 0.6. Blocks ask for more
-- tuning than filters do.
return plugin {
  kind    = "pruning",
  summary = "Remove the residual blocks of least mean magnitude, as wholes.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers whose blocks stay" },
  },
  unit  = "block",
  score = function(layer) return layer.weight:reshape(layer.filters, -1):abs():mean(2) end,
}
