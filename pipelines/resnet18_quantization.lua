-- ResNet18 on CIFAR-10, trained already, in fewer bits: int8 after training and with it, fixed point in four spacings, few
-- bits, shared values, and quantized when it was pruned before. Reads a torchvision-style state dict (docs/safetensors.md).
-- Measured on the first 3,000 test images (float32 90.37 %): int8 90.47, tuned 90.43; 4-bit weights 90.00 nearest, 90.30
-- learned; at 8, 6, 4 bits linear 90.50, 90.23, 30.80, minmax 90.40, 90.30, 84.80, log 90.57, 90.20, 81.37, tanh 90.50, 90.40,
-- 84.10; 16 values 90.40; 80 % zeros 89.67, and int8 89.73.
local p = params {
  weights  = { "models/cifar10-torchvision/resnet18_cifar10.safetensors", help = "under --data, or beside this script" },
  width    = { 1.0, min = 0.01, max = 1, help = "of the network in that file, beside the published one" },
  samples  = { 512, min = 1, help = "training images to calibrate on" },
  training = { 10000, min = 100, help = "training images to tune on, where a recipe trains" },
  epochs   = { 1, min = 1, help = "of that" },
  test     = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images   = { 200, min = 1, help = "test images timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local cifar = dataset("cifar10", { normalize = { mean = { 0.4914, 0.4822, 0.4465 }, std = { 0.2470, 0.2435, 0.2616 } } })
local calibration = cifar.train:take(p.samples)
local original    = load_model(p.weights, { into = zoo.resnet18_cifar { width = p.width } })
local tuning = {
  data = cifar.train:take(p.training):augment { pad_crop = 4, flip = true }, epochs = p.epochs, batch = 128,
  optimizer = "sgd", momentum = 0.9, nesterov = true, learning_rate = use "linear" { from = 1e-3, to = 0 },
  distill = { teacher = original, temperature = 2, alpha = 0.9 },
}

local variants = { { "original", original } }
local function add(name, model) variants[#variants + 1] = { name, model } end

local int8 = use "int8" { calibration = calibration }
add("int8",         quantize(original, int8))
add("int8, tuned",  quantize(original, int8, { train = tuning }))
add("4-bit weights, nearest", quantize(original, use "int4" {}))
add("4-bit weights, learned", quantize(original, use "int4" { calibration = calibration }))
for _, method in ipairs { "linear", "minmax", "log", "tanh" } do
  for _, bits in ipairs { 8, 6, 4 } do
    add(method .. " " .. bits, quantize(original, use "fixed_point" {
      calibration = calibration, method = method, bits = bits, activation_bits = bits, observer = "mse",
    }))
  end
end
add("16 values a layer", quantize(original, use "clusters" { clusters = 16 }))

local sparse = prune(original, use "global_magnitude" {}, { sparsity = 0.8, train = tuning })
add("80 % zeros",          sparse)
add("80 % zeros and int8", quantize(sparse, int8))

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
