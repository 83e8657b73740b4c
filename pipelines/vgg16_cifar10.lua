-- VGG16 without batch norms on CIFAR-10, trained here from nothing: thirteen convolutions and one dense layer, drawn as
-- He et al. 2015, since without norms signals must keep their size by themselves. Then which layers matter, and filters
-- that go round by round with tuning after each, as in vgg16_bn_cifar10.lua.
local p = params {
  width     = { 1.0, min = 0.03, max = 1, help = "multiplies every number of filters" },
  training  = { 10, min = 1, help = "epochs of the first training" },
  rounds    = { 3, min = 1, max = 20, help = "of removal and tuning" },
  epochs    = { 1, min = 1, help = "of tuning after each round" },
  strategy  = { "filter_l1", choices = { "filter_l1", "filter_l2", "filter_fpgm" }, help = "criterion" },
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

local blocks = { name = "vgg16", input = { 32, 32, 3 }, convolution = "he_normal" }
for _, filters in ipairs { 64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool" } do
  if filters == "pool" then
    blocks[#blocks + 1] = net.max_pool(2)
  else
    blocks[#blocks + 1] = net.conv(math.max(1, math.floor(filters * p.width + 0.5)), 3)
    blocks[#blocks + 1] = net.relu()
  end
end
blocks[#blocks + 1] = net.flatten()
blocks[#blocks + 1] = net.dense(10)

local cifar    = dataset("cifar10", { normalize = "cifar10" })
local training = cifar.train:sample(p.samples)
local function how(epochs, rate, teacher)
  return {
    data = training:augment { pad_crop = 4, flip = true }, epochs = epochs, batch = 128, optimizer = "sgd",
    momentum = 0.9, nesterov = true, weight_decay = 5e-4, label_smoothing = 0.1, clip_norm = 1, precision = p.precision,
    learning_rate = rate, distill = teacher and { teacher = teacher, temperature = 2, alpha = 0.5 } or nil,
  }
end

local original = train(net.model(blocks), how(p.training, use "one_cycle" { peak = 0.05 }))
local strategy = use(p.strategy) {}

local scan   = sensitivity(original, { strategy = strategy, data = training:take(math.min(p.scan, #training)) })
local shares = scan:spread(ratios)
print(scan:summary())

local variants = { { "original", original } }
local model = original
for round = 1, p.rounds do
  model = train(prune(model, strategy, { ratios = shares }), how(p.epochs, use "linear" { from = 0.02, to = 0 }, original))
  variants[#variants + 1] = { "round " .. round, model }
end
variants[#variants + 1] = { "and int8", quantize(model, use "int8" { calibration = training:take(math.min(512, #training)) }) }

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
