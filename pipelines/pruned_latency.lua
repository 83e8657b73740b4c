-- Does latency fall with the filters removed? An untrained network of the zoo, whole and with ever less of its
-- multiply-accumulates, each timed on one image in turns, so that all meet the same machine; the least time counts. The
-- quotient is the share of time saved over the share of work saved: at 1 time falls exactly as the work does.
--   compress run pipelines/pruned_latency.lua --threads 1 --set network=vgg16_bn_cifar
local p = params {
  network  = {
    "resnet18_cifar",
    choices = { "resnet18_cifar", "vgg16_bn_cifar", "resnet32", "resnet50", "mobilenet_v2", "vgg16" },
  },
  width    = { 1.0, min = 0.01, max = 1, help = "multiplies every number of filters" },
  multiple = { 16, min = 1, help = "of how many channels a group keeps: kernels compute so many at once" },
  rounds   = { 5, min = 1, help = "of turns, each network once" },
  images   = { 100, min = 1, help = "runs in a turn" },
}

local whole    = zoo[p.network] { width = p.width }
local networks = { { share = 1, model = whole } }
for _, share in ipairs { 0.75, 0.5, 0.25, 0.1 } do
  local smaller = prune(whole, use "filter_l2" {}, { macs = share, multiple_of = p.multiple })
  networks[#networks + 1] = { share = share, model = smaller }
end

local input = whole:layers()[1]:input_shape()
local image = dataset("digits").test:take(p.images):with { resize = { input[1], input[2] }, channels = input[3] }
local work  = whole:cost().macs
for _, network in ipairs(networks) do
  network.session = compile(network.model)
  network.macs, network.best = network.model:cost().macs / work, math.huge
end
for _ = 1, p.rounds do
  for _, network in ipairs(networks) do
    network.best = math.min(network.best, network.session:measure { data = image, images = p.images }.min)
  end
end

print(string.format("%-16s %8s %10s %10s %10s %10s", p.network, "MACs", "ms", "1 - m'/m", "1 - t'/t", "quotient"))
for _, network in ipairs(networks) do
  local saved, faster = 1 - network.macs, 1 - network.best / networks[1].best
  print(string.format("%-16s %8.3f %10.4f %10.3f %10.3f %10s", "", network.macs, network.best, saved, faster,
    saved > 0 and string.format("%.2f", faster / saved) or ""))
end
