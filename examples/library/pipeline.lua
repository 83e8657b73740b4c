-- A network for digits, in int8, compiled for programs of one's own.
--
--   compress run examples/library/pipeline.lua --out out
--   cc -std=c99 -O2 examples/library/main.c $(pkg-config --cflags --libs compress) -o digits

local p = params {
  epochs  = { 3, min = 1, max = 100 },
  samples = { 4000, min = 200, help = "training images" },
}

local digits = dataset "digits"
local model  = train(zoo.quick_cnn(), { data = digits.train:take(p.samples), epochs = p.epochs, batch = 64 })
local int8   = quantize(model, use "int8" { calibration = digits.train:take(200) })

print("accuracy", evaluate(int8, digits.test:take(1000)).accuracy)
export(int8, "digits.cmpx")
int8:save "digits.cmpr"
