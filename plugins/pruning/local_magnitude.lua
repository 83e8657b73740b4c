-- Local magnitude pruning: every layer loses the same share of its weights, the smallest first
-- (Zhu and Gupta 2017, as in TensorFlow's prune_low_magnitude).
-- Score: |w|.
-- Measured by Tests/figures/lab.lua (the lab CNN on MNIST, median of seeds 0 to 4, two epochs of tuning): 97.57 % at 80
-- % zeros, 86.09 (74.40 to 89.95) at 95, where its one small convolution is emptied as far as its large dense layer;
-- dense 97.35, and 97.92 when tuned as long.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 95.10 % at
-- 80 % zeros, 57.41 at 90.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights of least magnitude, the same share in each layer.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "layer",
  unit  = "weight",
  elementwise = true,
  score = function(layer) return layer.weight:abs() end,
}
