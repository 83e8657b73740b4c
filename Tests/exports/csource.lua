-- A network as C, and what a session gives for samples that are drawn as csource.c draws them: csource.sh.
local p = params {
  file = { "", help = "a model's file; else a network of the zoo is quantized, untrained" },
  zoo = { "ds_cnn", help = "the network, where no file is given" },
  width = { 1.0, help = "of the zoo's network" },
  side = { 0, help = "of its images; 0 for its own" },
  name = { "net", help = "of the C file" },
  samples = { 100 },
}
local model
if p.file ~= "" then
  model = load_model(p.file)
else
  local options = {}
  if p.width ~= 1.0 then options.width = p.width end
  if p.side > 0 then options.input = { p.side, p.side, 3 } end
  local net = zoo[p.zoo](options)
  model = quantize(net, use "int8" { calibration = data.noise(net, { count = 16, low = -2, high = 2 }) })
end
export(model, p.name .. ".c")

local state, hash = 1, 2166136261
local shape = model:layers()[1]:input_shape()
local count = 1
for _, extent in ipairs(shape) do count = count * extent end
table.insert(shape, 1, 1)
local session = compile(model)
for _ = 1, p.samples do
  local values = {}
  for i = 1, count do
    state = (state * 1664525 + 1013904223) & 0xffffffff
    values[i] = ((state >> 24) - 128) / 64
  end
  local out = session:run(tensor.of(values):reshape(shape))
  for _, value in ipairs(out:reshape(out.count):table()) do
    if value == 0 then value = 0.0 end
    for i = 1, 4 do hash = ((hash ~ string.byte(string.pack("<f", value), i)) * 16777619) & 0xffffffff end
  end
end
print(string.format("hash %08x", hash))
