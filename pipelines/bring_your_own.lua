-- A model of one's own, made smaller with its own outputs as the measure: no labels, no training data, no code of the
-- network. Any model file that can be read here, a folder of pictures such as it will meet (or none: then noise), a share
-- of the multiply-accumulates that is to stay:
--   compress run pipelines/bring_your_own.lua --data ~/stuff --set model=net.onnx --set pictures=photos --out out
-- Filters are removed, the rest is tuned until its outputs are those of the original again, then it becomes int8; all three
-- are compared on pictures that nothing was tuned on, and the last two are written in the original's format.
-- Without a model file a small network trained on generated digits stands in.
local p = params {
  model    = { "", help = "its file, under --data or beside the script; empty for a stand-in" },
  input    = { "", help = "the shape of an input that varies, with the batch: x=1x3x48x192" },
  pictures = { "", help = "a folder of JPEG and PNG images, under --data or beside the script; empty for noise" },
  macs     = { 0.7, min = 0.05, max = 1, help = "the share of multiply-accumulates that stays; 1 removes nothing" },
  multiple = { 8, min = 1, help = "of how many channels a layer keeps: kernels compute so many at once" },
  epochs   = { 20, min = 0, help = "passes over the pictures while tuning" },
  samples  = { 256, min = 8, help = "pictures of noise" },
  low      = { 0.0, help = "the least value that the model takes, of noise; of pictures, what black becomes" },
  high     = { 1.0, help = "the greatest; of pictures, what white becomes" },
  images   = { 50, min = 1, help = "pictures timed one by one" },
  cooldown = { 0, min = 0, help = "seconds of rest before each variant, shared out over its turns" },
}

local original
if p.model ~= "" then
  local inputs
  if p.input ~= "" then
    local name, shape = p.input:match "^(.*)=([0-9x]+)$"
    if not name then error("input is NAME=1x3x48x192, not " .. p.input) end
    inputs = { [name] = {} }
    for extent in shape:gmatch "[0-9]+" do table.insert(inputs[name], math.tointeger(extent)) end
  end
  original = load_model(p.model, { inputs = inputs })
else
  local digits = dataset "digits"
  original = train(zoo.lab_cnn {}, { data = digits.train:take(2000), epochs = math.min(2, p.epochs) })
end

local pictures
if p.pictures ~= "" then
  local shape = original:layers()[1]:input_shape()
  pictures = data.images(p.pictures, {
    labels = false, resize = { shape[1], shape[2] }, channels = shape[3],
    normalize = { mean = { -p.low / (p.high - p.low) }, std = { 1 / (p.high - p.low) } },
  })
else
  pictures = data.noise(original, { count = p.samples, low = p.low, high = p.high })
end
local held, seen = pictures:split(0.25)

local smaller = original
if p.macs < 1 then
  smaller = prune(original, use "filter_l2" {}, { macs = p.macs, multiple_of = p.multiple })
  if p.epochs > 0 then
    smaller = train(smaller, {
      data = seen, epochs = p.epochs, batch = 8, optimizer = "adam", learning_rate = 1e-3,
      distill = { teacher = original, labels = false },
    })
  end
end
local int8 = quantize(smaller, use "int8" { calibration = seen })

local ending = p.model:match "%.onnx$" or p.model:match "%.tflite$" or ".cmpr"
smaller:save("smaller" .. ending)
int8:save("smaller-int8" .. ending)

compare {
  on = held, images = p.images, cooldown = p.cooldown,
  { "original", original }, { "smaller", smaller }, { "smaller, int8", int8 },
}
