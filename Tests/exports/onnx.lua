-- Networks of the zoo, as they are, quantized and pruned, saved as ONNX files, with what they answer here to some
-- samples: what onnx.sh compares with another runtime. Samples come from files that check_onnx.py makes.
--   compress run Tests/exports/onnx.lua --data SAMPLES --out FOLDER
local p = params { only = { "", help = "networks to take, by a part of their names; all by default" } }

-- As small as each can be made without becoming another network.
local networks = {
  { "lab_cnn", { 28, 28, 1 } }, { "quick_cnn", { 28, 28, 1 } }, { "lenet_300_100", { 28, 28, 1 } },
  { "lenet5", { 28, 28, 1 } }, { "resnet32", { 32, 32, 3 } }, { "resnet56", { 32, 32, 3 } },
  { "resnet18_cifar", { 32, 32, 3 }, width = 0.25 }, { "vgg16_bn", { 32, 32, 3 }, width = 0.25 },
  { "mobilenet_v3_large", { 32, 32, 3 }, width = 0.25 }, { "inception_v3_75", { 75, 75, 1 }, width = 0.25 },
  { "resnet8", { 32, 32, 3 } }, { "resnet20", { 32, 32, 3 } },
  { "resnet18", { 32, 32, 3 }, width = 0.25 }, { "resnet50", { 32, 32, 3 }, width = 0.25 },
  { "vgg16", { 32, 32, 3 }, width = 0.25 }, { "vgg16_bn_cifar", { 32, 32, 3 }, width = 0.25 },
  { "mobilenet_v1", { 32, 32, 3 }, width = 0.25 }, { "mobilenet_v2", { 32, 32, 3 }, width = 0.25 },
  { "mobilenet_v3_small", { 32, 32, 3 }, width = 0.25 }, { "efficientnet_b0", { 32, 32, 3 }, width = 0.25 },
  { "efficientnet_lite0", { 32, 32, 3 }, width = 0.25 }, { "squeezenet1_1", { 32, 32, 3 }, width = 0.25 },
  { "shufflenet_v2", { 32, 32, 3 }, width = 0.25 }, { "densenet121", { 32, 32, 3 }, width = 0.25 },
  { "regnet_y_400mf", { 32, 32, 3 }, width = 0.25 }, { "convnext_tiny", { 32, 32, 3 }, width = 0.25 },
  { "deit_tiny", { 32, 32, 3 }, width = 0.25 }, { "inception_v3", { 75, 75, 3 }, width = 0.25 },
  { "ds_cnn", { 49, 10, 1 } }, { "autoencoder", { 640 } },
  -- They answer for each pixel: samples with a class are nothing to calibrate them on.
  { "unet", { 32, 32, 3 }, width = 0.25, answers_pixels = true },
  { "detector", { 32, 32, 3 }, width = 0.25, answers_pixels = true },
}

-- By name: what is made of a network, and the version of the operators it is written in.
local function recipes(data)
  local function static(options)
    options.calibration = data
    return function(model) return quantize(model, use "int8"(options)) end
  end
  local function weights(name, options)
    return function(model) return quantize(model, use(name)(options or {})) end
  end
  local function pruned(name, options, more)
    return function(model) return prune(model, use(name)(more or {}), options) end
  end
  local function both(model)
    return quantize(pruned("filter_l1", { filters = 0.3 })(model), use "int8" { calibration = data })
  end
  -- Those with `calibrated` need samples.
  return {
    { "float32", function(model) return model end },
    { "float16", weights "float16" }, { "bfloat16", weights "bfloat16" }, { "clusters", weights "clusters" },
    { "dynamic_range", weights "dynamic_range" }, { "int4", weights("int4", { edge_bits = 8 }), opset = 21 },
    { "int8", static {}, calibrated = true },
    { "int8_tensor", static { per = "tensor", symmetric = true }, calibrated = true },
    { "int8_4bit", static { bits = 4, activation_bits = 6 }, calibrated = true, opset = 21 },
    { "int8_16bit", static { activation_bits = 16 }, calibrated = true, opset = 21 },
    { "fixed_point", function(model) return quantize(model, use "fixed_point" { calibration = data }) end, calibrated = true },
    { "weights", pruned("global_magnitude", { sparsity = 0.8 }) }, { "blocks", pruned("block", { sparsity = 0.5 }) },
    { "pattern", pruned("n_m", {}) }, { "filters", pruned("filter_l1", { filters = 0.3 }) },
    { "filters_int8", both, calibrated = true },
  }
end

for _, network in ipairs(networks) do
  local name, shape = network[1], network[2]
  if name:find(p.only, 1, true) then
    local data = data.numpy("samples-" .. table.concat(shape, "x") .. ".npz")
    local options = { input = shape, seed = 1 }
    if network.width then options.width = network.width end
    if name ~= "autoencoder" then options.classes = 10 end
    local ok, drawn = pcall(zoo[name], options)
    if not ok then
      options.width = nil
      drawn = zoo[name](options)
    end
    -- Batch norms that know what they are given; otherwise deep networks answer with next to nothing.
    local fine, model = pcall(recalibrate, drawn, { data = data, batches = 2, batch = 16 })
    if not fine then model = drawn end
    for _, recipe in ipairs(recipes(data)) do
      local title = name .. "-" .. recipe[1]
      local function write()
        local variant = recipe[2](model)
        local session, samples = compile(variant), (data:batch(1, 4))
        local answers, moved = session:run(samples), 0
        -- How much of an answer hangs on where a sum is rounded to: what an input that is hardly another one changes.
        for _, factor in ipairs { 1 - 2e-5, 1 - 1e-5, 1 + 1e-5, 1 + 2e-5 } do
          moved = math.max(moved, (session:run(samples * factor) - answers):abs():max())
        end
        if recipe.opset then
          export(variant, title .. ".onnx", { opset = recipe.opset })
        else
          variant:save(title .. ".onnx")
        end
        local numbers = {}
        for index, number in ipairs(answers:table()) do numbers[index] = string.format("%.9g", number) end
        print("case " .. title .. " " .. string.format("%.9g", moved) .. " " .. table.concat(numbers, " "))
      end
      if not (recipe.calibrated and network.answers_pixels) then
        local done, reason = pcall(write)
        if not done then print("failed " .. title .. " " .. tostring(reason)) end
      end
    end
  end
end
