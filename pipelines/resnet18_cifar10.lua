-- ResNet18 on CIFAR-10, trained already: filters go round by round, by their L1 norm, and the network is tuned after each.
-- As Li et al. 2017 do, the first convolution of each block gives filters up, the later stages more of them; what adds up
-- along the shortcuts stays whole. Reads a torchvision-style state dict (docs/safetensors.md says the names).
local p = params {
  weights  = { "models/cifar10-torchvision/resnet18_cifar10.safetensors", help = "under --data, or beside this script" },
  rounds   = { 3, min = 1, max = 20, help = "of removal and tuning" },
  epochs   = { 1, min = 1, help = "of tuning after each round" },
  samples  = { 50000, min = 200, help = "training images" },
  test     = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images   = { 1000, min = 1, help = "test images timed one by one" },
  cooldown = { 2, min = 0, help = "seconds of rest before each measurement" },
  strategy = { "filter_l1", choices = { "filter_l1", "filter_l2", "filter_fpgm", "filter_batch_norm" }, help = "criterion" },
}

-- What each of the eight blocks gives up in a round, of what it has left.
local ratios = { 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3 }

local cifar    = dataset("cifar10", { normalize = "cifar10" })
local training = cifar.train:sample(p.samples)
local original = load_model(p.weights, { into = zoo.resnet18_cifar() })
local strategy = use(p.strategy) { skip = { "conv1", "layer*.conv2", "layer*.downsample*" } }

local variants = { { "original", original } }
local model = original
for round = 1, p.rounds do
  model = train(prune(model, strategy, { ratios = ratios }), {
    data = training:augment { pad_crop = 4, flip = true }, epochs = p.epochs, batch = 128, optimizer = "sgd",
    momentum = 0.9, nesterov = true, weight_decay = 5e-4, label_smoothing = 0.1,
    learning_rate = use "linear" { from = 0.03, to = 0 }, distill = { teacher = original, temperature = 2, alpha = 0.5 },
  })
  variants[#variants + 1] = { "round " .. round, model }
end
variants[#variants + 1] = { "and int8", quantize(model, use "int8" { calibration = cifar.train:sample(512) }) }

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
