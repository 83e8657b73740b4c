-- First-order Taylor expansion for filters (Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning"):
-- without a filter the loss changes by about the sum of w * g over it, g being the gradient.
-- Score of filter f: (sum over f of w * g)^2, g over all samples; or, with joint = false, the sum over f of the mean
-- over batches of (w * g)^2, as if its weights went one by one. Batch norms are constants here: by the statistics of a
-- batch the sum before one would always be zero.
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning), gradients
-- on the first 512 training images: 98.16 % with half of the parameters, 96.95 with 30 %; over ten random choices of
-- 512 98.15 to 98.16 and 93.38 to 97.50 %.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning), gradients on the first 512 training images: 80.90 % with 0.8 of the
-- MACs, 53.15 with 0.6; over five random choices of 512 79.80 to 83.10 and 47.30 to 57.95 %.
return plugin {
  kind    = "pruning",
  summary = "Remove the filters without which the loss changes least, to first order.",
  options = {
    joint = { type = "boolean", default = true, help = "a filter's weights go together, not one by one" },
    skip  = { type = "patterns", default = {}, help = "layers left whole" },
    scope = { type = "choice", "global", "layer", default = "global", help = "ranked together, or each group loses as much" },
  },
  scope     = function(o) return o.scope end,
  unit      = "filter",
  normalize = false,
  needs     = { "gradient" },
  score = function(layer, ctx)
    local n, w = layer.filters, layer.weight
    if ctx.options.joint then return (w * layer.gradient):reshape(n, -1):sum(2) ^ 2 end
    return (w * w * layer.gradient_square):reshape(n, -1):sum(2)
  end,
}
