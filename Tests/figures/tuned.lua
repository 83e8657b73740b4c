-- A trained LeNet-300-100 (MNIST, 98.16 % of the 10,000 test images) pruned along a cubic schedule over two epochs of
-- Adam at 0.001, by movement and by magnitude, beside the whole network tuned as long: the figures in the headers of
-- movement and global_magnitude. Median of the training's seeds 0 to 4, least and greatest.
--   compress run Tests/figures/tuned.lua --set batch=128 --data DATA
local p = params { batch = { 32, min = 1, help = "samples to a step of the tuning" } }

local mnist = dataset("mnist", { normalize = "mnist" })
local dense = load_model("models/lenet-300-100/lenet300100_dense.safetensors", { into = zoo.lenet_300_100 {} })

-- `make` gets the options of the training.
local function over_seeds(name, make)
  local row = {}
  for seed = 0, 4 do
    local tuned = make { data = mnist.train, epochs = 2, batch = p.batch, seed = seed }
    row[seed + 1] = 100 * evaluate(tuned, mnist.test).accuracy
  end
  table.sort(row)
  print(string.format("%s: median %.2f, %.2f to %.2f", name, row[3], row[1], row[5]))
end

print(string.format("dense: %.2f", 100 * evaluate(dense, mnist.test).accuracy))
over_seeds("whole", function(tuning) return train(dense, tuning) end)
for _, strategy in ipairs { "global_magnitude", "movement" } do
  for _, sparsity in ipairs { 0.9, 0.95, 0.98 } do
    over_seeds(strategy .. " " .. sparsity, function(tuning)
      return prune(dense, use(strategy) {}, { schedule = use "polynomial" { to = sparsity }, train = tuning })
    end)
  end
end
