-- The edge lab: one small CNN on MNIST, four variants. One epoch of training, static int8 afterwards,
-- magnitude pruning from 50 % to 80 % over two more epochs, and both.
-- Measured (median of seeds 0 to 4): 97.35, 97.36, 97.85, 97.86 %, and the whole network tuned as long as the pruned
-- one 97.92 % (`control=true`): more than it had before is the tuning's merit, not the zeros'. Seed 0: 76,516, 18,009,
-- 20,078, 7,493 bytes gzipped.
local p = params {
  sparsity = { 0.8, min = 0, max = 1, help = "final share of zero weights" },
  strategy = { "global_magnitude", choices = { "global_magnitude", "local_magnitude" }, help = "what weights are ranked among" },
  schedule = { "polynomial", choices = { "polynomial", "linear", "cosine" }, help = "how sparsity rises" },
  control  = { false, help = "also the whole network, tuned as long as the pruned one" },
  samples  = { 60000, min = 200, help = "training images" },
  images   = { 1000, min = 1, help = "test images timed one by one" },
  cooldown = { 2, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local mnist    = dataset "mnist"
local training = mnist.train:take(p.samples)
local baseline = train(zoo.lab_cnn(), { data = training, epochs = 1, batch = 128, optimizer = "adam", learning_rate = 5e-3 })

local tuning = { data = training, epochs = 2, batch = 128, optimizer = "adam", learning_rate = 5e-3 }
local pruned = prune(baseline, use(p.strategy) {}, {
  schedule = use(p.schedule) { from = 0.5, to = p.sparsity }, train = tuning,
})
local int8 = use "int8" { calibration = training:take(500) }

local variants = {
  { "baseline",        baseline },
  { "int8",            quantize(baseline, int8) },
  { "pruned",          pruned },
  { "pruned and int8", quantize(pruned, int8) },
}
if p.control then variants[#variants + 1] = { "baseline, tuned", train(baseline, tuning) } end

compare { on = mnist.test, images = p.images, cooldown = p.cooldown, table.unpack(variants) }
