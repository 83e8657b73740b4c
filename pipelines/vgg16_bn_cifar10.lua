-- VGG16 with batch norms on CIFAR-10, trained already: which layers matter, then filters go round by round and the network
-- is tuned after each. Every convolution is pruned alone to see how accuracy bears it (layer importance, Li et al. 2017);
-- then all give up shares of their filters by L1 norm, those that matter most the least of them. Reads a torchvision-style
-- state dict with one dense layer (docs/safetensors.md says the names).
local p = params {
  weights   = { "models/cifar10-torchvision/vgg16_bn_cifar10.safetensors", help = "under --data, or beside this script" },
  width     = { 1.0, min = 0.01, max = 1, help = "of the network in that file, beside the published one" },
  rounds    = { 3, min = 1, max = 20, help = "of removal and tuning" },
  epochs    = { 1, min = 1, help = "of tuning after each round" },
  peak      = { 0.03, min = 0, help = "the learning rate each tuning begins with" },
  strategy  = { "filter_l1", choices = { "filter_l1", "filter_l2", "filter_fpgm", "filter_batch_norm" }, help = "criterion" },
  precision = { "float32", choices = { "float32", "bf16" }, help = "of training; bf16 is faster on CPUs that have it" },
  scan      = { 1000, min = 10, help = "training images that layer importance is measured on" },
  samples   = { 50000, min = 200, help = "training images" },
  test      = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images    = { 1000, min = 1, help = "test images timed one by one" },
  cooldown  = { 2, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

-- What the convolutions give up in a round, of what they have left: spread over the thirteen of them, the first for
-- those that matter most.
local ratios = { 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3 }

local cifar    = dataset("cifar10", { normalize = "cifar10" })
local training = cifar.train:sample(p.samples)
local original = load_model(p.weights, { into = zoo.vgg16_bn_cifar { width = p.width } })
-- The teacher runs in int8, which is faster and predicts almost the same.
local teacher  = quantize(original, use "int8" { calibration = training:take(math.min(512, #training)) })
local strategy = use(p.strategy) {}

local scan   = sensitivity(original, { strategy = strategy, data = training:take(math.min(p.scan, #training)) })
local shares = scan:spread(ratios)
print(scan:summary())

local variants = { { "original", original } }
local model = original
for round = 1, p.rounds do
  model = train(prune(model, strategy, { ratios = shares }), {
    data = training:augment { pad_crop = 4, flip = true }, epochs = p.epochs, batch = 128, optimizer = "sgd",
    momentum = 0.9, nesterov = true, weight_decay = 5e-4, label_smoothing = 0.1, precision = p.precision,
    learning_rate = use "linear" { from = p.peak, to = 0 }, distill = { teacher = teacher, temperature = 2, alpha = 0.5 },
  })
  variants[#variants + 1] = { "round " .. round, model }
end
variants[#variants + 1] = { "and int8", quantize(model, use "int8" { calibration = training:take(math.min(512, #training)) }) }

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
