-- A network of digits, trained for a moment and quantized: what classify takes without a model of its own.
local digits = dataset "digits"

local float = train(zoo.quick_cnn(), { data = digits.train:take(2000), epochs = 2 })
local int8  = quantize(float, use "int8" { calibration = digits.train:take(200) })
print("digits in int8: " .. int8:cost().bytes .. " bytes")
