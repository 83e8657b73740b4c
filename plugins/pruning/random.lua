-- Weights at random: what any criterion must beat.
-- Score: uniform, from the seed and the layer's place in the network.
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
