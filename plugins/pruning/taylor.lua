-- First-order Taylor expansion of the loss (Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning",
-- for single weights): without a weight the loss changes by about w * g, g being its gradient.
-- Score: sqrt(mean over batches of (w * g)^2).
-- Measured (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning): 97.72 % at 80 % zeros, 95.03 at 90,
-- 83.29 at 95.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights without which the loss changes least, to first order.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  elementwise = true,
  needs = { "gradient" },
  score = function(layer) return layer.weight:abs() * layer.gradient_square:sqrt() end,
}
