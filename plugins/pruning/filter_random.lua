-- Filters at random: what any criterion must beat.
-- Score of filter f: uniform, from the seed and the layer's place in the network.
return plugin {
  kind    = "pruning",
  summary = "Remove filters at random.",
  options = {
    seed = { type = "integer", default = 0, help = "of the draw" },
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "filter",
  score = function(layer, ctx) return tensor.uniform({ layer.filters }, ctx.options.seed * 65536 + layer.index) end,
}
