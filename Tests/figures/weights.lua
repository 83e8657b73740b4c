-- What the criteria make of a trained LeNet-300-100 (MNIST, 98.16 % of the 10,000 test images), at once and without
-- tuning: the figures in their headers. Those that need gradients take them on the first 512 training images, as `prune`
-- does unless it is told otherwise, and, for the spread, on each of ten random choices of 512.
--   compress run Tests/figures/weights.lua --data DATA
local mnist = dataset("mnist", { normalize = "mnist" })
local dense = load_model("models/lenet-300-100/lenet300100_dense.safetensors", { into = zoo.lenet_300_100 {} })
local first = mnist.train:take(512)

local function percent(model) return 100 * evaluate(model, mnist.test).accuracy end
local function pruned(name, target, value, samples)
  return percent(prune(dense, use(name) {}, { [target] = value, samples = samples or first }))
end

print(string.format("dense: %.2f", percent(dense)))
for _, name in ipairs { "global_magnitude", "lamp", "local_magnitude", "block", "random", "taylor", "snip" } do
  local row = {}
  for i, sparsity in ipairs { 0.8, 0.9, 0.95 } do row[i] = string.format("%.2f", pruned(name, "sparsity", sparsity)) end
  print(name .. ": " .. table.concat(row, " "))
end
print(string.format("n_m: %.2f", percent(prune(dense, use "n_m" {}, {}))))
for _, name in ipairs { "filter_l1", "filter_l2", "filter_fpgm", "filter_random", "filter_taylor" } do
  print(string.format("%s: %.2f %.2f", name, pruned(name, "params", 0.5), pruned(name, "params", 0.3)))
end

local function spread(name, target, value)
  local row = {}
  for seed = 1, 10 do row[seed] = pruned(name, target, value, mnist.train:sample(512, seed)) end
  table.sort(row)
  print(string.format("%s %s, samples 1 to 10: %.2f to %.2f", name, value, row[1], row[#row]))
end
for _, name in ipairs { "taylor", "snip" } do
  for _, sparsity in ipairs { 0.8, 0.9, 0.95 } do spread(name, "sparsity", sparsity) end
end
for _, params in ipairs { 0.5, 0.3 } do spread("filter_taylor", "params", params) end
