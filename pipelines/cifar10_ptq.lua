-- Networks trained on CIFAR-10 already, in fewer bits without training: accuracy and changed predictions of int8 with each
-- observer, of int8 whose rounding is learned, and of 4-bit weights. Measured: docs/benchmarks.md; recipes are compared on
-- the test images there.
local p = params {
  network  = { "resnet20", choices = { "resnet8", "resnet18", "resnet20", "resnet32", "vgg16_bn" }, help = "which one" },
  models   = { "models", help = "folder of the trained networks, under --data or beside this script" },
  samples  = { 512, min = 1, help = "training images to calibrate on" },
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

local cifar       = dataset("cifar10", prepared)
local calibration = cifar.train:take(p.samples)
local original    = load_model(p.models .. "/" .. file .. ".safetensors", { into = make() })

local variants = { { p.network, original } }
for _, observer in ipairs { "minmax", "moving_average", "percentile", "entropy", "mse" } do
  variants[#variants + 1] = { observer, quantize(original, use "int8" { calibration = calibration, observer = observer }) }
end
variants[#variants + 1] = {
  "percentile 99.99",
  quantize(original, use "int8" { calibration = calibration, observer = "percentile", percentile = 99.99 }),
}
for _, observer in ipairs { "percentile", "entropy", "mse" } do
  variants[#variants + 1] = {
    observer .. ", learned rounding",
    quantize(original, use "int8" {
      calibration = calibration, observer = observer, rounding = "learned", correct_bias = true,
    }),
  }
end
variants[#variants + 1] = { "4-bit weights, min-max", quantize(original, use "int4" { fit = "minmax" }) }
variants[#variants + 1] = { "4-bit weights, nearest", quantize(original, use "int4" {}) }
variants[#variants + 1] = { "4-bit weights, learned", quantize(original, use "int4" { calibration = calibration }) }
variants[#variants + 1] = {
  "the same, 8 bits first and last", quantize(original, use "int4" { calibration = calibration, edge_bits = 8 }),
}

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
