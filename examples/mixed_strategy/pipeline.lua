-- Two criteria and what lies between them, at the same sparsity, from one baseline; see README.md.
local p = params {
  sparsity = { 0.9, min = 0, max = 1, help = "share of zero weights" },
  samples  = { 10000, min = 200, help = "training images" },
  images   = { 500, min = 1, help = "test images timed one by one" },
  cooldown = { 1, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local digits   = dataset "digits"
local training = digits.train:take(p.samples)
local baseline = train(zoo.lab_cnn(), { data = training, epochs = 3, batch = 64, learning_rate = 3e-3 })

local function pruned_by(mix)
  return prune(baseline, use "magnitude_and_taylor" { mix = mix }, {
    schedule = use "polynomial" { to = p.sparsity }, train = { data = training, epochs = 2, batch = 64, learning_rate = 1e-3 },
  })
end

compare {
  on = digits.test, images = p.images, cooldown = p.cooldown,
  { "baseline",  baseline },
  { "magnitude", pruned_by(0) },
  { "both",      pruned_by(0.5) },
  { "taylor",    pruned_by(1) },
}
