-- Networks of the zoo, as they are drawn or trained, at 80 % zeros and int8, as native and packed files: for packed.sh to
-- hold against what other compressors make of them. `trained=true` takes those under --data as well.
local p = params {
  networks = { "", help = "names, with commas between; all by default" },
  trained  = { false, help = "also the trained networks under --data" },
}

-- The input of each; what takes 224x224 pixels as a rule does with fewer.
local networks = {
  { "lab_cnn", 28, 1 }, { "quick_cnn", 28, 1 }, { "lenet_300_100", 28, 1 }, { "lenet5", 28, 1 }, { "resnet8", 32, 3 },
  { "resnet20", 32, 3 }, { "resnet32", 32, 3 }, { "resnet56", 32, 3 }, { "resnet18", 64, 3 }, { "resnet18_cifar", 32, 3 },
  { "resnet50", 64, 3 }, { "vgg16_bn_cifar", 32, 3 }, { "mobilenet_v1", 64, 3 }, { "mobilenet_v2", 64, 3 },
  { "mobilenet_v3_small", 64, 3 }, { "mobilenet_v3_large", 64, 3 }, { "efficientnet_b0", 64, 3 },
  { "efficientnet_lite0", 64, 3 }, { "squeezenet1_1", 64, 3 }, { "shufflenet_v2", 64, 3 }, { "densenet121", 64, 3 },
  { "regnet_y_400mf", 64, 3 }, { "convnext_tiny", 64, 3 }, { "deit_tiny", 64, 3 }, { "inception_v3", 75, 3 },
  { "ds_cnn", 49, 1 }, { "unet", 64, 3 }, { "detector", 64, 3 },
}
local trained = {
  { "resnet20", "models/cifar10-resnet/resnet20-12fca82f.safetensors" },
  { "resnet18_cifar", "models/cifar10-torchvision/resnet18_cifar10.safetensors" },
  { "vgg16_bn_cifar", "models/cifar10-torchvision/vgg16_bn_cifar10.safetensors" },
}
local wanted = {}
for name in p.networks:gmatch "[^,]+" do wanted[name] = true end
local function isWanted(name) return next(wanted) == nil or wanted[name] end

local function write(name, model, samples)
  local small = quantize(prune(model, use "local_magnitude" {}, { sparsity = 0.8 }), use "int8" { calibration = samples })
  small:save(name .. ".cmpr")
  small:save(name .. ".cmpz")
  export(small, name .. "-fast.cmpz", { fast = true })
end

local function digits(height, width, channels)
  return dataset("digits", { resize = { height, width }, channels = channels, normalize = "symmetric" }).train:take(32)
end

for _, entry in ipairs(networks) do
  local name, size, channels = table.unpack(entry)
  if isWanted(name) then
    local width = name == "ds_cnn" and 10 or size
    write(name, zoo[name] { input = { size, width, channels }, classes = 10, seed = 1 }, digits(size, width, channels))
  end
end
for _, entry in ipairs(p.trained and trained or {}) do
  local name, file = table.unpack(entry)
  if isWanted(name) then write(name .. "-trained", load_model(file, { into = zoo[name] {} }), digits(32, 32, 3)) end
end
