-- First-order Taylor expansion of the loss (Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning",
-- for single weights): without a weight the loss changes by about w * g, g being its gradient.
-- Score: sqrt(mean over batches of (w * g)^2).
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
