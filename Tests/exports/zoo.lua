-- Networks of the zoo, as small as they are useful, quantized and pruned in several ways, as files for tflite.sh to hold
-- against LiteRT: compress run Tests/exports/zoo.lua --out FOLDER
local p = params {
  networks = { "", help = "names, with commas between; all by default" },
}

-- The input of each; what takes 224x224 pixels as a rule does with fewer.
local networks = {
  { "lab_cnn", 28, 1 }, { "lenet5", 28, 1 }, { "resnet8", 32, 3 }, { "resnet20", 32, 3 }, { "resnet18", 64, 3 },
  { "resnet50", 64, 3 }, { "vgg16_bn_cifar", 32, 3 }, { "mobilenet_v1", 64, 3 }, { "mobilenet_v2", 64, 3 },
  { "mobilenet_v3_small", 64, 3 }, { "efficientnet_b0", 64, 3 }, { "efficientnet_lite0", 64, 3 },
  { "squeezenet1_1", 64, 3 }, { "shufflenet_v2", 64, 3 }, { "densenet121", 64, 3 }, { "regnet_y_400mf", 64, 3 },
  { "convnext_tiny", 64, 3 }, { "deit_tiny", 64, 3 }, { "inception_v3", 75, 3 }, { "ds_cnn", 49, 1 },
  { "unet", 64, 3 }, { "detector", 64, 3 },
}
local wanted = {}
for name in p.networks:gmatch "[^,]+" do wanted[name] = true end

for _, entry in ipairs(networks) do
  local name, size, channels = table.unpack(entry)
  if next(wanted) == nil or wanted[name] then
    local height, width = size, name == "ds_cnn" and 10 or size
    local digits = dataset("digits", { resize = { height, width }, channels = channels, normalize = "symmetric" })
    local model = zoo[name] { input = { height, width, channels }, classes = 10, seed = 1 }
    local few = digits.train:take(64)
    local function filtered() return prune(model, use "filter_l1" {}, { macs = 0.6 }) end
    local ways = {
      float = function() return model end,
      float16 = function() return quantize(model, use "float16" {}) end,
      dynamic = function() return quantize(model, use "dynamic_range" {}) end,
      int8 = function() return quantize(model, use "int8" { calibration = few }) end,
      int8_tensor = function() return quantize(model, use "int8" { calibration = few, per = "tensor" }) end,
      int6 = function() return quantize(model, use "int8" { calibration = few, bits = 6, activation_bits = 6 }) end,
      weights = function() return prune(model, use "global_magnitude" {}, { sparsity = 0.5 }) end,
      pattern = function() return prune(model, use "n_m" {}, {}) end,
      filters = filtered,
      filters_int8 = function() return quantize(filtered(), use "int8" { calibration = few }) end,
    }
    for way, make in pairs(ways) do
      local done, message = pcall(function() make():save(name .. "-" .. way .. ".tflite") end)
      if not done then print("NOT WRITTEN " .. name .. " " .. way .. ": " .. tostring(message)) end
    end
  end
end
