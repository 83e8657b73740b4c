-- N:M sparsity (Mishra et al. 2021, "Accelerating Sparse Deep Neural Networks": 2 of 4): of every run of weights of a
-- filter so many stay, those of greatest magnitude. Hardware knows where to look for them.
-- Score: |w|.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 96.73 %
-- with 2 of 4.
return plugin {
  kind    = "pruning",
  summary = "Keep the greatest weights in every run of a filter's inputs: 2 of 4, or others.",
  options = {
    keep = { type = "integer", default = 2, min = 1, help = "weights of a run that stay" },
    of   = { type = "integer", default = 4, min = 2, help = "weights in a run" },
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  unit  = function(o) return { keep = o.keep, of = o.of } end,
  score = function(layer) return layer.weight:abs() end,
}
