-- A virtual machine on an AMD EPYC of the third generation (Zen 3), one thread with AVX2. zen3.json holds the layers of
-- the networks below in float32, int8 and mixtures of the two, as they were timed there, and nothing else:
--   for n in lab_cnn quick_cnn lenet5 ds_cnn resnet8 resnet20 mobilenet_v1 autoencoder; do
--     compress bench zoo:$n --table zen3.json --threads 1
--   done
return plugin {
  kind     = "device",
  summary  = "AVX2 on Zen 3, one thread: layers of the small networks of the zoo, timed.",
  describe = function()
    return {
      bits    = { 2, 3, 4, 5, 6, 7, 8, 16, 32 },
      sources = { "compress bench --table on an AMD EPYC, family 25, model 1 (two virtual processors)" },
      table   = "zen3.json",
    }
  end,
}
