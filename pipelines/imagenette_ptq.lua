-- Pretrained networks on Imagenette: as they are, dynamic range, float16, int8. Weights are the user's own safetensors files
-- (torchvision's names and the 1,000 ImageNet classes' order, see docs/safetensors.md), pictures those of the data set
-- "imagenette". Without such a file the network is drawn at random and its last layer fitted to generated pictures: then
-- every figure but the accuracy is real.
local p = params {
  network  = { "resnet50", choices = { "resnet50", "vgg16", "mobilenet_v2" }, help = "which one" },
  weights  = { "", help = "its safetensors file, under --data; empty for random features and generated pictures" },
  samples  = { 100, min = 1, help = "pictures to calibrate on" },
  fit      = { 64, min = 10, help = "generated pictures that the last layer is fitted to" },
  test     = { 200, min = 10, help = "pictures that accuracy is measured on" },
  images   = { 50, min = 1, help = "pictures timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local make = zoo[p.network]
local original, training, test
if p.weights ~= "" then
  local pictures = dataset("imagenette", { size = 224, short_side = 256, normalize = "imagenet" })
  training, test = pictures.train, pictures.test
  original = load_model(p.weights, { into = make() })
else
  local digits = dataset("digits")
  local options = { resize = 224, channels = 3, normalize = "symmetric" }
  training, test = digits.train:with(options), digits.test:with(options)
  original = make {}
  if p.network ~= "vgg16" then  -- which has no batch norms
    original = recalibrate(original, { data = training:take(p.fit), batches = 4, batch = 16 })
  end
  original = fit_last_layer(original, training:take(p.fit))
end

local pictures = training:sample(p.samples)
local recipes = {
  { "dynamic range", use "dynamic_range" {} },
  { "float16",       use "float16" {} },
  { "int8, minmax",  use "int8" { calibration = pictures, observer = "minmax" } },
  { "int8",          use "int8" { calibration = pictures } },
}
local variants = { { p.network, original } }
for _, recipe in ipairs(recipes) do variants[#variants + 1] = { recipe[1], quantize(original, recipe[2]) } end

compare {
  on = test:take(p.test), images = p.images, cooldown = p.cooldown,
  table.unpack(variants),
}
