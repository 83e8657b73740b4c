-- The lab CNN on MNIST, trained and compressed as in pipelines/mnist_lab.lua, for several seeds: the medians that the
-- headers of plugins and pipelines and the README give, beside the whole network tuned as long.
--   compress run Tests/figures/lab.lua --data DATA
local p = params { seeds = { 5, min = 1, max = 100, help = "0 and so many in all" } }

local mnist = dataset "mnist"
local names, rows = {}, {}
local function note(name, model)
  if not rows[name] then names[#names + 1], rows[name] = name, {} end
  table.insert(rows[name], 100 * evaluate(model, mnist.test).accuracy)
end

for seed = 0, p.seeds - 1 do
  local function how(epochs)
    return { data = mnist.train, epochs = epochs, batch = 128, optimizer = "adam", learning_rate = 5e-3, seed = seed }
  end
  local function pruned(baseline, strategy, sparsity)
    return prune(baseline, use(strategy) {}, { schedule = use "polynomial" { from = 0.5, to = sparsity }, train = how(2) })
  end

  local baseline = train(zoo.lab_cnn { seed = seed }, how(1))
  local int8     = use "int8" { calibration = mnist.train:take(500) }
  local sparse   = pruned(baseline, "global_magnitude", 0.8)
  note("baseline", baseline)
  note("whole, tuned", train(baseline, how(2)))
  note("int8", quantize(baseline, int8))
  note("int8 minmax", quantize(baseline, use "int8" { calibration = mnist.train:take(500), observer = "minmax" }))
  note("dynamic_range", quantize(baseline, use "dynamic_range" {}))
  note("float16", quantize(baseline, use "float16" {}))
  note("global_magnitude 0.8", sparse)
  note("global_magnitude 0.8 int8", quantize(sparse, int8))
  note("global_magnitude 0.95", pruned(baseline, "global_magnitude", 0.95))
  note("local_magnitude 0.8", pruned(baseline, "local_magnitude", 0.8))
  note("local_magnitude 0.95", pruned(baseline, "local_magnitude", 0.95))
end

for _, name in ipairs(names) do
  local row = rows[name]
  table.sort(row)
  print(string.format("%s: median %.2f, %.2f to %.2f", name, row[(#row + 1) // 2], row[1], row[#row]))
end
-- As written elsewhere: 82,668.
local function bytes(name, model)
  local thousands, rest = model:cost().bytes // 1000, model:cost().bytes % 1000
  print(string.format("%s bytes: %d,%03d", name, thousands, rest))
end
local whole = zoo.lab_cnn()
bytes("float32", whole)
bytes("int8", quantize(whole, use "int8" { calibration = mnist.train:take(500) }))
for _, recipe in ipairs { "dynamic_range", "float16" } do bytes(recipe, quantize(whole, use(recipe) {})) end
