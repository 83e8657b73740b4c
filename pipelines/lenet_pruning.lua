-- LeNet-300-100 and LeNet-5 on MNIST at 12 times fewer weights and more, without a loss: the networks and the aim of Han et
-- al. 2015 ("Learning both weights and connections"). Trained from nothing; then weights go little by little, least
-- magnitude first over all layers together, while the network learns on from the labels and from what it was before.
-- Measured: LeNet-300-100 98.77 % before and 98.88 % after, LeNet-5 99.53 % and 99.50 %.
local p = params {
  sparsity = { 0.92, min = 0, max = 1, help = "share of zero weights" },
  epochs   = { 12, min = 1, help = "of each first training" },
  tuning   = { 12, min = 1, help = "epochs of training while and after weights go" },
  samples  = { 60000, min = 200, help = "training images" },
  images   = { 1000, min = 1, help = "test images timed one by one" },
  cooldown = { 2, min = 0, help = "seconds of rest before each measurement" },
}

local mnist    = dataset("mnist", { normalize = "mnist" })
local training = mnist.train:take(p.samples)

local function how(epochs, peak)
  return {
    data = training:augment { pad_crop = 2 }, epochs = epochs, batch = 128, optimizer = "adamw", weight_decay = 0.01,
    learning_rate = use "one_cycle" { peak = peak }, ema = 0.999,
  }
end

local function pruned(dense)
  local training = how(p.tuning, 2e-3)
  training.distill = { teacher = dense, temperature = 2, alpha = 0.5 }
  return prune(dense, use "global_magnitude" {}, {
    schedule = use "polynomial" { from = 0.5, to = p.sparsity }, ramp = 0.5, every = 20, train = training,
  })
end

local lenet5, lenet300 = train(zoo.lenet5(), how(p.epochs, 2e-3)), train(zoo.lenet_300_100(), how(p.epochs, 2e-3))

compare {
  on = mnist.test, images = p.images, cooldown = p.cooldown,
  { "LeNet-5",               lenet5 },
  { "LeNet-5 pruned",        pruned(lenet5) },
  { "LeNet-300-100",         lenet300 },
  { "LeNet-300-100 pruned",  pruned(lenet300) },
}
