-- Weights at random: what any criterion must beat.
-- Score: uniform, from the seed and the layer's place in the network.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning, seed 0):
-- 17.63 % at 80 % zeros.
return plugin {
  kind    = "pruning",
  summary = "Zero weights at random.",
  options = {
    seed = { type = "integer", default = 0, help = "of the draw" },
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  score = function(layer, ctx) return tensor.uniform(layer.weight:shape(), ctx.options.seed * 65536 + layer.index) end,
}
