-- A network trained on CIFAR-10 as `pack` rounds it, at each of some trades, and as another program rounded its weights: the
-- accuracy of each on the test images (packed-curve.sh has the bytes beside them).
local p = params {
  network = { "resnet20", choices = { "resnet20", "resnet18" }, help = "which one" },
  models  = { "models", help = "folder of the trained networks, under --data" },
  lambdas = { "0.002,0.003,0.005,0.01,0.02", help = "trades" },
  others  = { "", help = "files of weights beside this script" },
  samples = { 512, min = 1, help = "training images to round by" },
  test    = { 10000, min = 10, help = "test images that accuracy is measured on" },
}

local own = { normalize = { mean = { 0.4914, 0.4822, 0.4465 }, std = { 0.2470, 0.2435, 0.2616 } } }
local networks = {
  resnet20 = { zoo.resnet20, "cifar10-resnet/resnet20-12fca82f", { normalize = "imagenet" } },
  resnet18 = { zoo.resnet18_cifar, "cifar10-torchvision/resnet18_cifar10", own },
}
local make, file, prepared = table.unpack(networks[p.network])
local cifar = dataset("cifar10", prepared)
local function told(name, model)
  print(name, ("%.2f"):format(100 * evaluate(model, cifar.test:take(p.test)).accuracy))
end

local original = load_model(p.models .. "/" .. file .. ".safetensors", { into = make() })
told("float", original)
for lambda in p.lambdas:gmatch "[^,]+" do
  local packed = pack(original, { lambda = tonumber(lambda), data = cifar.train:take(p.samples), samples = p.samples })
  packed:save(lambda .. ".cmpz")
  told(lambda, packed)
end
for name in p.others:gmatch "[^,]+" do told(name, load_model(name, { into = make() })) end
