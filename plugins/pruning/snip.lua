-- SNIP, single-shot pruning by connection sensitivity (Lee et al. 2019): prunes once, before training. An untrained
-- network with batch norms should be given their statistics first: recalibrate(net, { data = data }).
-- Score: |w * g|, g being the gradient of the loss over all samples. (The paper divides by the sum of all scores, which
-- changes no order.)
-- Measured by Tests/figures/weights.lua (LeNet-300-100 on MNIST, 98.16 % dense, at once and without tuning), gradients
-- on the first 512 training images: 97.81 % at 80 % zeros, 96.01 at 90, 84.18 at 95; over ten random choices of 512
-- 97.31 to 97.77, 88.07 to 95.13 and 58.07 to 81.05 %. It is meant for networks before training.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights that the loss is least sensitive to; for untrained networks.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  elementwise = true,
  needs = { "gradient" },
  score = function(layer) return (layer.weight * layer.gradient):abs() end,
}
