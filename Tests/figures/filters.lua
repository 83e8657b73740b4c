-- What the criteria of filters, and of whole blocks, make of a trained ResNet20 (CIFAR-10), batch norms recalibrated
-- and no tuning: the figures in their headers. Recalibration takes 30 batches of 32 training images. filter_taylor has
-- its gradients, and filter_hrank its feature maps, of the first 512 training images, as `prune` does unless it is told
-- otherwise, and, for the spread, on each of five random choices of 512.
--   compress run Tests/figures/filters.lua --data DATA
local cifar    = dataset("cifar10", { normalize = "imagenet" })
local original = load_model("models/cifar10-resnet/resnet20-12fca82f.safetensors", { into = zoo.resnet20 {} })
local test     = cifar.test:take(2000)

local function percent(model) return 100 * evaluate(model, test).accuracy end
local function pruned(name, macs, samples)
  local smaller = prune(original, use(name) {}, { macs = macs, samples = samples })
  return percent(recalibrate(smaller, { data = cifar.train, batches = 30 }))
end

print(string.format("dense: %.2f", percent(original)))
local names = {
  "filter_l1", "filter_l2", "filter_fpgm", "filter_batch_norm", "filter_hrank", "filter_random", "filter_taylor",
  "depth",
}
for _, name in ipairs(names) do
  local first = cifar.train:take(512)
  print(string.format("%s: %.2f %.2f", name, pruned(name, 0.8, first), pruned(name, 0.6, first)))
end
for _, name in ipairs { "filter_hrank", "filter_taylor" } do
  for _, macs in ipairs { 0.8, 0.6 } do
    local row = {}
    for seed = 1, 5 do row[seed] = pruned(name, macs, cifar.train:sample(512, seed)) end
    table.sort(row)
    print(string.format("%s %s, samples 1 to 5: %.2f to %.2f", name, macs, row[1], row[#row]))
  end
end
