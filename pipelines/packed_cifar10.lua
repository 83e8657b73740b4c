-- Networks trained on CIFAR-10 already, in the smallest packed file: without training, weights rounded to the levels that cost
-- least accuracy for their bits (`pack`), as coarsely as accuracy on training images allows, floats and int8; or more
-- coarsely than is good for them (`smaller`, `lambda`), and trained on on these levels (`tuning`).
-- Measured: ResNet20 91.73 % before, 91.75 % in 113.3 kB (`lambda=0.003`), 91.42 % in 71,335 B (`lambda=0.02`);
-- ResNet18 88.49 % in 701,784 B (`lambda=0.01`), both without training.
local p = params {
  network  = { "resnet20", choices = { "resnet8", "resnet18", "resnet20", "resnet32", "vgg16_bn" }, help = "which one" },
  models   = { "models", help = "folder of the trained networks, under --data or beside this script" },
  within   = { 0.001, min = 0, max = 1, help = "accuracy that may be lost on the training images" },
  lambda   = { 0.0, min = 0, help = "a trade of errors and bits in place of `within`, where it is not 0" },
  samples  = { 512, min = 1, help = "training images to round by" },
  training = { 10000, min = 10, help = "training images that accuracy is measured on" },
  smaller  = { 0, min = 0, help = "how many times smaller than the floats the file is to be, in place of `within`, if not 0" },
  tuning   = { 0, min = 0, help = "epochs of training on the levels" },
  peak     = { 5e-4, min = 0, help = "the greatest learning rate of that" },
  learned  = { 50000, min = 10, help = "training images of that" },
  int8     = { false, help = "also of the int8 network" },
  test     = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images   = { 200, min = 1, help = "test images timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local pixels = { scale = 255 }
local he     = { normalize = "imagenet" }
local own    = { normalize = { mean = { 0.4914, 0.4822, 0.4465 }, std = { 0.2470, 0.2435, 0.2616 } } }
local networks = {
  resnet8  = { zoo.resnet8, "mlperf-tiny/image_classification/resnet8", pixels },
  resnet20 = { zoo.resnet20, "cifar10-resnet/resnet20-12fca82f", he },
  resnet32 = { zoo.resnet32, "cifar10-resnet/resnet32-d509ac18", he },
  resnet18 = { zoo.resnet18_cifar, "cifar10-torchvision/resnet18_cifar10", own },
  vgg16_bn = { zoo.vgg16_bn_cifar, "cifar10-torchvision/vgg16_bn_cifar10", own },
}
local make, file, prepared = table.unpack(networks[p.network])

local cifar    = dataset("cifar10", prepared)
local seen     = cifar.train:take(p.training)
local original = load_model(p.models .. "/" .. file .. ".safetensors", { into = make() })

local function rounded(model)
  local chosen = cifar.train:take(p.samples)
  if p.lambda > 0 then return pack(model, { lambda = p.lambda, data = chosen, samples = p.samples }) end
  if p.smaller > 0 then
    -- Training on may make the file a little larger.
    local bytes = 4 * original:cost().parameters * 98 // (100 * p.smaller)
    return pack(model, { bytes = bytes, data = chosen, samples = p.samples })
  end
  return pack(model, { within = p.within, data = seen, samples = p.samples })
end

local function packed(model)
  local coarse = rounded(model)
  if p.tuning == 0 then return coarse end
  return train(coarse, {
    data = cifar.train:take(p.learned):augment { pad_crop = 4, flip = true }, epochs = p.tuning, batch = 128, weight_decay = 0,
    learning_rate = use "one_cycle" { peak = p.peak }, ema = 0.998, distill = { teacher = original, temperature = 2, alpha = 0.7 },
  })
end

local variants = { { p.network, original }, { "packed", packed(original) } }
if p.int8 then
  local int8 = quantize(original, use "int8" { calibration = cifar.train:take(p.samples) })
  variants[#variants + 1] = { "int8", int8 }
  variants[#variants + 1] = { "int8, packed", packed(int8) }
end

compare { on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown, table.unpack(variants) }
