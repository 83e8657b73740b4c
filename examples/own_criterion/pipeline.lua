-- Two criteria at the same sparsity, from one baseline; see README.md.
local p = params {
  sparsity = { 0.9, min = 0, max = 1, help = "share of zero weights" },
  samples  = { 10000, min = 200, help = "training images" },
  images   = { 500, min = 1, help = "test images timed one by one" },
  cooldown = { 1, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local digits   = dataset "digits"
local training = digits.train:take(p.samples)
local baseline = train(zoo.lab_cnn(), { data = training, epochs = 3, batch = 64, learning_rate = 3e-3 })
local tuning   = { data = training, epochs = 2, batch = 64, learning_rate = 1e-3 }

local function pruned_by(strategy)
  return prune(baseline, strategy, {
    schedule = function(t) return p.sparsity * (1 - (1 - t) ^ 3) end,   -- a schedule can be a function, too
    train    = tuning,
  })
end

compare {
  on = digits.test, images = p.images, cooldown = p.cooldown,
  { "baseline",         baseline },
  { "baseline, tuned",  train(baseline, tuning) },   -- what tuning alone gives
  { "global magnitude", pruned_by(use "global_magnitude" {}) },
  { "share of filter",  pruned_by(use "filter_share" {}) },
}
