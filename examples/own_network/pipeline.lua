-- A small residual network written in place, beside the zoo's.
--
--   compress run examples/own_network/pipeline.lua

local p = params {
  filters  = { 8, min = 1, max = 64, help = "of the first stage; each further one has twice as many" },
  epochs   = { 3, min = 1, max = 100 },
  samples  = { 4000, min = 200, help = "training images" },
  images   = { 500, min = 1, help = "test images timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

-- Two convolutions and what goes past them. Where the image shrinks, the shortcut has to follow.
local function block(filters, stride)
  return net.residual {
    net.conv(filters, 3, { stride = stride, bias = false }), net.batch_norm(), net.relu(),
    net.conv(filters, 3, { bias = false }), net.batch_norm(),
    shortcut = stride > 1 and net.conv(filters, 1, { stride = stride }),
  }
end

local function network(filters)
  return net.model {
    name = "own", input = { 28, 28, 1 },
    net.conv(filters, 3, { bias = false }), net.batch_norm(), net.relu(),
    block(filters, 1), net.relu(),
    block(2 * filters, 2), net.relu(),
    block(4 * filters, 2), net.relu(),
    net.global_average_pool(),
    net.dense(10),
  }
end

local digits   = dataset "digits"
local how      = { data = digits.train:take(p.samples), epochs = p.epochs, batch = 64 }
local baseline = train(zoo.quick_cnn(), how)
local own      = train(network(p.filters), how)
local int8     = use "int8" { calibration = digits.train:take(200) }

compare {
  on = digits.test:take(1000), images = p.images, cooldown = p.cooldown,
  { "baseline",     baseline },
  { "own",          own },
  { "own and int8", quantize(own, int8) },
}
