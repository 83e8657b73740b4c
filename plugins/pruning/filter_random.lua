-- Filters at random: what any criterion must beat.
-- Score of filter f: uniform, from the seed and the layer's place in the network.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning, seed 0):
-- 79.36 % with half of the parameters, 48.31 with 30 %.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning, seed 0): 76.45 % with 0.8 of the MACs, 51.50 with 0.6.
return plugin {
  kind    = "pruning",
  summary = "Remove filters at random.",
  options = {
    seed  = { type = "integer", default = 0, help = "of the draw" },
    skip  = { type = "patterns", default = {}, help = "layers left whole" },
    scope = { type = "choice", "global", "layer", default = "global", help = "ranked together, or each group loses as much" },
  },
  scope = function(o) return o.scope end,
  unit  = "filter",
  score = function(layer, ctx) return tensor.uniform({ layer.filters }, ctx.options.seed * 65536 + layer.index) end,
}
