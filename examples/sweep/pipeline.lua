-- One pruned CNN, to be swept over; see README.md.
local p = params {
  sparsity = { 0.8, min = 0, max = 0.99, help = "share of zero weights" },
  strategy = { "global_magnitude", choices = { "global_magnitude", "local_magnitude", "random" }, help = "which go" },
  tuning   = { 2, min = 0, help = "epochs of training afterwards" },
  samples  = { 10000, min = 200, help = "training images" },
  images   = { 500, min = 1, help = "test images timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local digits   = dataset "digits"
local training = digits.train:take(p.samples)
local baseline = train(zoo.lab_cnn(), { data = training, epochs = 3, batch = 64, learning_rate = 3e-3 })
local tune     = p.tuning > 0 and { data = training, epochs = p.tuning, batch = 64, learning_rate = 1e-3 } or nil

compare {
  on = digits.test, images = p.images, cooldown = p.cooldown,
  { "baseline", baseline },
  { "pruned",   prune(baseline, use(p.strategy) {}, { sparsity = p.sparsity, train = tune }) },
}
