-- Network slimming (Liu et al. 2017): the scale of the batch norm after a filter says how much of it is heard.
-- Score of filter f: |gamma[f]|. Layers that no batch norm follows stay whole.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning): 79.75 % with 0.8 of the MACs, 40.70 with 0.6.
return plugin {
  kind    = "pruning",
  summary = "Remove the filters whose batch norm scales them least.",
  options = {
    skip  = { type = "patterns", default = {}, help = "layers left whole" },
    scope = { type = "choice", "global", "layer", default = "global", help = "ranked together, or each group loses as much" },
  },
  scope     = function(o) return o.scope end,
  unit      = "filter",
  normalize = false,
  score = function(layer) return layer.gamma and layer.gamma:abs() or false end,
}
