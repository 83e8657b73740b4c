-- Movement pruning (Sanh et al. 2020, "Movement Pruning: Adaptive Sparsity by Fine-Tuning"): weights that training moves
-- towards zero go, however large they are, and those that it moves away stay, however small. For fine-tuning what was
-- trained on other data; prunes along a schedule.
-- Score: the sum over the steps so far of -w * g, g being the gradient of the step's batch. Weights once removed are
-- zero, so their scores stay as they were; the paper goes on counting with the values they had.
-- Measured by Tests/figures/tuned.lua (LeNet-300-100 on MNIST, 98.16 % dense, cubic schedule over two epochs of Adam,
-- median of seeds 0 to 4): 97.35 % at 90 % zeros, 97.33 at 95, 97.07 at 98, batches of 32, where global_magnitude has
-- 98.32, 98.30, 98.03 and the whole network tuned as long 97.65; with batches of 128 96.22, 96.02, 95.35, where
-- global_magnitude has 98.39, 98.43, 98.00 and the whole network 98.15. On a network that has learned its task already
-- it is the worse of the two, and the more so the fewer steps it looks on.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights that training moves towards zero.",
  options = {
    keep = { type = "ratio", default = 1, help = "share of the sum that is kept from step to step; 1 forgets nothing" },
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  elementwise = true,
  gather = function(layer, sum, ctx)
    local away = -(layer.weight * layer.gradient)
    return sum and sum * ctx.options.keep + away or away
  end,
  score = function(layer) return layer.gathered end,
}
