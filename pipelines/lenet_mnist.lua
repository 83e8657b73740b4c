-- LeNet-5 and LeNet-300-100 on MNIST: the two networks of Deep Compression (Han et al. 2016), trained from nothing.
-- Measured, seed 0: LeNet-5 99.53 %, LeNet-300-100 98.77 % of the 10,000 test images.
local p = params {
  epochs   = { 12, min = 1, help = "of each training" },
  samples  = { 60000, min = 200, help = "training images" },
  cooldown = { 2, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
  images   = { 1000, min = 1, help = "test images timed one by one" },
}

local mnist    = dataset("mnist", { normalize = "mnist" })
local training = mnist.train:take(p.samples)

local function how(peak)
  return {
    data = training:augment { pad_crop = 2 }, epochs = p.epochs, batch = 128, optimizer = "adamw", weight_decay = 0.01,
    learning_rate = use "one_cycle" { peak = peak }, ema = 0.999,
  }
end

compare {
  on = mnist.test, images = p.images, cooldown = p.cooldown,
  { "LeNet-5",       train(zoo.lenet5(), how(2e-3)) },
  { "LeNet-300-100", train(zoo.lenet_300_100(), how(2e-3)) },
}
