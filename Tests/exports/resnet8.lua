-- MLPerf Tiny's ResNet8, from its float TFLite file: quantized here, written as TFLite again, for cifar10_accuracy.py to
-- hold against the vendor's int8 file in LiteRT.
--   compress run Tests/exports/resnet8.lua --data FOLDER --out OUT
local p = params {
  models  = { "models/mlperf-tiny/image_classification", help = "folder of pretrainedResnet.tflite, under --data" },
  samples = { 1000, min = 1, help = "training images to calibrate on" },
}
local cifar    = dataset("cifar10", { scale = 255 })
local original = load_model(p.models .. "/pretrainedResnet.tflite")

for _, observer in ipairs { "minmax", "percentile", "mse" } do
  local int8 = quantize(original, use "int8" { calibration = cifar.train:take(p.samples), observer = observer })
  print(observer .. ", here", evaluate(int8, cifar.test).accuracy)
  int8:save("resnet8-" .. observer .. ".tflite")
end
