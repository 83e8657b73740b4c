-- Global magnitude pruning: one threshold for the whole network, so layers with many small weights
-- give up more than the others (Han et al. 2015, "Learning both weights and connections").
-- Score: |w|.
-- Measured (the lab CNN on MNIST, median of seeds 0 to 2, two epochs of tuning): 97.24 % dense, 97.85 at 80 % zeros,
-- 96.04 at 95 %.
-- Measured (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 97.74 % at 80 % zeros, 97.51 at 90,
-- 96.36 at 95. Along a cubic schedule over two epochs of tuning: 98.50 % at 90 % zeros, 98.43 at 95, 98.00 at 98.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights of least magnitude, ranked across all layers together.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  elementwise = true,
  score = function(layer) return layer.weight:abs() end,
}
