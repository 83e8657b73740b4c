-- A first look: a small CNN on generated digits (no download), quantized, pruned, and both.
-- The last variant is pruned too far on purpose, to show what that costs.
-- Measured (seed 0): baseline 97.84 %, int8 97.82, pruned 97.66, both 97.66, pruned too far 43.54.
local p = params {
  sparsity = { 0.8, min = 0, max = 1, help = "share of zero weights in the pruned variants" },
  samples  = { 12000, min = 200, help = "training images" },
  images   = { 1000, min = 1, help = "test images timed one by one" },
  cooldown = { 1, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local digits   = dataset "digits"
local training = digits.train:take(p.samples)
local fit      = { data = training, epochs = 3, batch = 64, optimizer = "adam", learning_rate = use "cosine" { from = 3e-3, to = 0 } }
local tune     = { data = training, epochs = 2, batch = 64, optimizer = "adam", learning_rate = use "cosine" { from = 2e-3, to = 0 } }

local baseline = train(zoo.lab_cnn(), fit)

local function pruned_to(sparsity)
  return prune(baseline, use "global_magnitude" {}, {
    schedule = use "polynomial" { from = sparsity / 2, to = sparsity },
    train    = tune,
  })
end

local int8   = use "int8" { calibration = training:take(math.min(500, #training)) }
local pruned = pruned_to(p.sparsity)

compare {
  on = digits.test, images = p.images, cooldown = p.cooldown,
  { "baseline",        baseline },
  { "int8",            quantize(baseline, int8) },
  { "pruned",          pruned },
  { "pruned and int8", quantize(pruned, int8) },
  { "pruned too far",  pruned_to(0.995) },
}
