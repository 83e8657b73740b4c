-- How many parameters the networks of the zoo have, as `compress inspect` and results count them: weights, biases, and
-- batch norms with their running means and variances. docs/scripts.md lists them.
--   compress run Tests/figures/zoo.lua
local function grouped(count)
  local text = tostring(count)
  local head = (#text - 1) % 3 + 1
  return text:sub(1, head) .. text:sub(head + 1):gsub("%d%d%d", ",%0")
end

local names = {
  "lab_cnn", "quick_cnn", "lenet_300_100", "lenet5", "resnet8", "resnet20", "resnet32", "resnet56", "resnet18", "resnet50",
  "vgg16", "vgg16_bn", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0",
  "efficientnet_lite0", "squeezenet1_1", "shufflenet_v2", "densenet121", "regnet_y_400mf", "convnext_tiny", "deit_tiny",
  "inception_v3", "ds_cnn", "autoencoder", "unet", "detector",
}
for _, name in ipairs(names) do print(name .. ": " .. grouped(zoo[name]():cost().parameters)) end
