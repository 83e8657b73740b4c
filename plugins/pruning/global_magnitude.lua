-- Global magnitude pruning: one threshold for the whole network, so layers with many small weights
-- give up more than the others (Han et al. 2015, "Learning both weights and connections").
-- Score: |w|.
-- Measured by Tests/figures/lab.lua (the lab CNN on MNIST, median of seeds 0 to 4, two epochs of tuning): 97.85 % at 80
-- % zeros, 96.07 at 95; dense 97.35, and 97.92 when tuned as long.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 97.74 % at
-- 80 % zeros, 97.51 at 90, 96.36 at 95.
-- Measured by Tests/figures/tuned.lua (the same network, cubic schedule over two epochs of Adam, median of seeds 0 to
-- 4): 98.32 % at 90 % zeros, 98.30 at 95, 98.03 at 98, batches of 32; 98.39, 98.43, 98.00 with batches of 128. The
-- whole network tuned as long has 97.65 and 98.15 %.
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
