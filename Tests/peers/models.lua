-- Networks of the zoo in the formats of the programs they are timed beside, fp32 and int8: the weights are random, the
-- times are those of trained ones.
--   compress run Tests/peers/models.lua --out FOLDER --set networks=lab_cnn,resnet50
local p = params {
  networks = { "lab_cnn", help = "names of the zoo, separated by commas" },
}
for name in p.networks:gmatch "[^,]+" do
  local fp32 = zoo[name] {}
  local int8 = quantize(fp32, use "int8" { calibration = data.noise(fp32, { count = 16 }) })
  for _, model in ipairs { { fp32, "fp32" }, { int8, "int8" } } do
    for _, ending in ipairs { "cmpr", "onnx", "tflite" } do
      model[1]:save(name .. "-" .. model[2] .. "." .. ending)
    end
  end
  print(name)
end
