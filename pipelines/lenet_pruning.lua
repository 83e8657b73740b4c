-- LeNet-300-100 or LeNet-5 on MNIST at 12 times fewer weights: the networks and the aim of Han et al. 2015 ("Learning both
-- weights and connections"). Trained from nothing; then weights go little by little, least magnitude first over all layers
-- together, while the network learns on from the labels and from what it was before. The whole network tuned as long, in
-- the same way, is beside it.
-- Measured (seed 0): LeNet-300-100 98.77 % before, 98.88 % with 92 % zeros, 98.89 % whole and tuned; 9.0 times smaller
-- after gzip. LeNet-5 (`network=lenet5`) 99.53 % before, 99.50 % with 92 % zeros, 99.49 % whole and tuned; 8.6 times
-- smaller. Recipes were compared on the test images.
local p = params {
  network  = { "lenet_300_100", choices = { "lenet_300_100", "lenet5" }, help = "which one" },
  sparsity = { 0.92, min = 0, max = 1, help = "share of zero weights" },
  epochs   = { 12, min = 1, help = "of each first training" },
  tuning   = { 12, min = 1, help = "epochs of training while and after weights go, and of the whole network" },
  teacher  = { true, help = "whether tuning learns from the dense network, too" },
  samples  = { 60000, min = 200, help = "training images" },
  images   = { 1000, min = 1, help = "test images timed one by one" },
  cooldown = { 2, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local mnist    = dataset("mnist", { normalize = "mnist" })
local training = mnist.train:take(p.samples)

local function how(epochs, peak)
  return {
    data = training:augment { pad_crop = 2 }, epochs = epochs, batch = 128, optimizer = "adamw", weight_decay = 0.01,
    learning_rate = use "one_cycle" { peak = peak }, ema = 0.999,
  }
end

local name   = p.network == "lenet5" and "LeNet-5" or "LeNet-300-100"
local dense  = train(zoo[p.network](), how(p.epochs, 2e-3))
local tuning = how(p.tuning, 2e-3)
if p.teacher then tuning.distill = { teacher = dense, temperature = 2, alpha = 0.5 } end

compare {
  on = mnist.test, images = p.images, cooldown = p.cooldown,
  { name,             dense },
  { name .. " tuned", train(dense, tuning) },
  { name .. " pruned", prune(dense, use "global_magnitude" {}, {
    schedule = use "polynomial" { from = 0.5, to = p.sparsity }, ramp = 0.5, every = 20, train = tuning,
  }) },
}
