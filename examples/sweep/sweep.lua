-- Ranking at random is tried for comparison, but not where it is known to be hopeless.
return sweep {
  script = "pipeline.lua",
  grid = {
    sparsity = { 0.5, 0.7, 0.9, 0.95 },
    strategy = { "global_magnitude", "local_magnitude", "random" },
  },
  when = function(p) return p.strategy ~= "random" or p.sparsity < 0.9 end,
}
