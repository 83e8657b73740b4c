-- Block sparsity (Narang et al. 2017, "Block-Sparse Recurrent Neural Networks"): whole rectangles of the matrix of
-- filters by inputs go, so that what stays can be computed in vectors.
-- Score of a block: the mean of |w|.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 97.21 % at
-- 80 % zeros in blocks of 4 by 1, 94.86 at 90, 78.73 at 95.
return plugin {
  kind    = "pruning",
  summary = "Zero whole blocks of weights, those of least mean magnitude.",
  options = {
    rows    = { type = "integer", default = 4, min = 1, help = "filters in a block" },
    columns = { type = "integer", default = 1, min = 1, help = "inputs in a block" },
    skip    = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = function(o) return { rows = o.rows, columns = o.columns } end,
  score = function(layer) return layer.weight:abs() end,
}
